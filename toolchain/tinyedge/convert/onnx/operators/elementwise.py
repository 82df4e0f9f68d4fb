"""Functions of single values, and arithmetic of two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.values import Value, with_channels_last
from tinyedge.graph.ir import Quantization

_UNARY = {
    "Relu": "relu",
    "Sigmoid": "logistic",
    "Tanh": "tanh",
    "Elu": "elu",
    "Abs": "abs",
    "Neg": "neg",
    "Exp": "exp",
    "Log": "log",
    "Sqrt": "sqrt",
    "HardSwish": "hard_swish",
    "Floor": "floor",
}
_BINARY = {"Add": "add", "Sum": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Max": "maximum", "Min": "minimum"}


def unary(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    if node.kind == "Elu" and node.get("alpha", 1.0) != 1.0:
        raise node.refuse(f"alpha is {node.get('alpha')}; TensorFlow Lite has 1")
    _apply(importer, node, _UNARY[node.kind], value)


def _apply(importer: Importer, node: Node, name: str, value: Value, **options: object) -> None:
    """An operator on one value, whose order of elements stays as it is."""
    source = _as_it_lies(importer, value)
    target = importer.output(node, last=value.last)
    if value.flat_of is not None:
        importer.values[node.outputs[0]] = replace(importer.values[node.outputs[0]], index=importer.plain(value))
        source = importer.plain(value)
        target = importer.output(node)
    importer.builder.operator(name, [source], [target], **options)


def _as_it_lies(importer: Importer, value: Value) -> int:
    return importer.last(value) if value.last else importer.plain(value)


def leaky_relu(importer: Importer, node: Node) -> None:
    _apply(importer, node, "leaky_relu", importer.value(node, 0), alpha=float(node.get("alpha", 0.01)))


def prelu(importer: Importer, node: Node) -> None:
    value, slope = importer.value(node, 0), importer.value(node, 1)
    if slope.data is None:
        raise node.refuse("its slope has to be constant")
    shaped = slope.data.reshape((1,) * (value.rank - slope.rank) + slope.shape)
    stored = with_channels_last(shaped) if value.last else shaped
    if shaped.shape[:1] != (1,):
        raise node.refuse(f"its slope is {list(slope.shape)}", "give a slope for each channel")
    alpha = importer.builder.constant(stored.reshape(stored.shape[1:]).astype(np.float32))
    source = _as_it_lies(importer, value)
    importer.builder.operator("prelu", [source, alpha], [importer.output(node, last=value.last)])


def clip(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    low, high = (_bound(importer, node, position, name) for position, name in ((1, "min"), (2, "max")))
    if (low, high) in ((0.0, None), (0.0, 6.0)):
        _apply(importer, node, "relu" if high is None else "relu6", value)
        return
    source = _as_it_lies(importer, value)
    for name, bound in (("maximum", low), ("minimum", high)):
        if bound is not None:
            limit = importer.builder.constant(np.array(bound, np.float32))
            target = importer.output(node, last=value.last)
            importer.builder.operator(name, [source, limit], [target])
            source = target
    if (low, high) == (None, None):
        importer.alias(node, value)


def _bound(importer: Importer, node: Node, position: int, name: str) -> float | None:
    given = node.get(name)
    if given is None:
        found = importer.constant(node, position)
        given = None if found is None else found
    if given is None or not np.isfinite(np.asarray(given)).all() or abs(float(np.asarray(given).ravel()[0])) > 1e38:
        return None
    return float(np.asarray(given).ravel()[0])


def hard_sigmoid(importer: Importer, node: Node) -> None:
    """max(0, min(1, alpha x + beta)), of four operators."""
    value = importer.value(node, 0)
    source, builder = _as_it_lies(importer, value), importer.builder
    for name, number in (
        ("mul", float(node.get("alpha", 0.2))),
        ("add", float(node.get("beta", 0.5))),
        ("minimum", 1.0),
        ("maximum", 0.0),
    ):
        target = importer.output(node, last=value.last)
        builder.operator(name, [source, builder.constant(np.array(number, np.float32))], [target])
        source = target


def binary(importer: Importer, node: Node) -> None:
    """Two operands, or one after the other where there are more (Max, Min)."""
    left = importer.value(node, 0)
    if len(node.inputs) == 1:
        importer.alias(node, left)
        return
    for position in range(1, len(node.inputs)):
        _pair(importer, node, left, importer.value(node, position))
        left = importer.values[node.outputs[0]]


def _pair(importer: Importer, node: Node, left: Value, right: Value) -> None:
    if node.kind == "Add" and (value := _as_bias(importer, left, right) or _as_bias(importer, right, left)):
        importer.alias(node, value)
        return
    rank = max(left.rank, right.rank)
    last = any(entry.last for entry in (left, right)) and all(
        entry.last or entry.data is not None for entry in (left, right)
    )
    sources = [_operand(importer, entry, rank, last=last) for entry in (left, right)]
    importer.builder.operator(_BINARY[node.kind], sources, [importer.output(node, last=last)])


def _as_bias(importer: Importer, value: Value, term: Value) -> Value | None:
    """A dense layer with a term for each output as its bias; None where this is something else."""
    maker = None if value.index is None or value.flat_of is not None else importer.builder.maker(value.index)
    if maker is None or term.data is None or not importer.builder.takes_bias(maker):
        return None
    outputs = importer.builder.graph.tensors[maker.inputs[1]].shape[0]
    if term.data.shape[-1:] != (outputs,) or term.data.size != outputs or value.shape[-1:] != (outputs,):
        return None
    maker.inputs[2] = importer.weights(term.data.reshape(-1), None)
    return value


def _operand(importer: Importer, value: Value, rank: int, *, last: bool) -> int:
    """An operand in a layout; constants get the axes that broadcasting gives them."""
    if value.data is not None:
        shaped = value.data.reshape((1,) * (rank - value.rank) + value.shape) if value.shape else value.data
        moved = with_channels_last(shaped) if last and shaped.ndim > 2 else shaped
        return importer.weights(moved, _of_whole(value))
    return importer.last(value) if last else importer.plain(value)


def _of_whole(value: Value) -> Quantization | None:
    """The one scale of a constant."""
    return None if value.quantization is None or value.quantization.per_channel else value.quantization


def passed_on(importer: Importer, node: Node) -> None:
    """What changes nothing when a model runs."""
    if any(name in importer.read for name in node.outputs[1:]):
        raise node.refuse("its mask is used too", "export the model in its mode for inference: `model.eval()`")
    importer.alias(node, importer.value(node, 0))


def cast(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    before, after = (importer.shapes[name][1] for name in (node.inputs[0], node.outputs[0]))
    if before != after:
        raise node.refuse(f"it casts {before} to {after}", "give the model inputs of the type it computes in")
    importer.alias(node, value)


HANDLERS = {
    **dict.fromkeys(_UNARY, unary),
    **dict.fromkeys(_BINARY, binary),
    "LeakyRelu": leaky_relu,
    "PRelu": prelu,
    "Clip": clip,
    "HardSigmoid": hard_sigmoid,
    "Identity": passed_on,
    "Dropout": passed_on,
    "Cast": cast,
}
