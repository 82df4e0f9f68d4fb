"""Convolutions and poolings: channels last, padding as TensorFlow Lite has it, or a pad in front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert import flatbuffer
from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.values import Value
from tinyedge.graph.ir import Array, Quantization


@dataclass(frozen=True)
class Window:
    """A window over one or two axes, given as two: a model with one axis has a height of 1."""

    kernel: tuple[int, int]
    strides: tuple[int, int]
    dilations: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    @property
    def padded(self) -> bool:
        return any((*self.before, *self.after))


def window_of(node: Node, value: Value, kernel: Sequence[int]) -> Window:
    """The window of a node. Raises: ModelError for more than two axes."""
    axes = value.rank - 2
    if axes not in (1, 2):
        raise node.refuse(f"its input has {value.rank} axes; windows go over one or two", "use Conv1D or Conv2D")
    strides = node.get("strides", [1] * axes)
    dilations = node.get("dilations", [1] * axes)
    pads = list(node.get("pads", [0] * (2 * axes)))
    auto = node.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        pads = _same(auto, value.shape[2:], kernel, strides, dilations)
    elif node.get("ceil_mode", 0):
        pads = _up_to_the_last(node, value.shape[2:], kernel, strides, dilations, pads)
    one = [1] * (2 - axes)
    none = [0] * (2 - axes)
    return Window(
        _two([*one, *kernel]),
        _two([*one, *strides]),
        _two([*one, *dilations]),
        _two([*none, *pads[:axes]]),
        _two([*none, *pads[axes:]]),
    )


def _two(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return int(first), int(second)


def _same(
    auto: str, sizes: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> list[int]:
    before, after = [], []
    for size, extent, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True):
        whole = max((-(-size // stride) - 1) * stride + (extent - 1) * dilation + 1 - size, 0)
        less, more = whole // 2, whole - whole // 2
        before.append(less if auto == "SAME_UPPER" else more)
        after.append(more if auto == "SAME_UPPER" else less)
    return [*before, *after]


def _up_to_the_last(
    node: Node,
    sizes: Sequence[int],
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: list[int],
) -> list[int]:
    """Padding that makes the last, partial window a whole one."""
    axes, grown = len(sizes), list(pads)
    for axis in range(axes):
        reach = (kernel[axis] - 1) * dilations[axis] + 1
        covered = sizes[axis] + pads[axis] + pads[axes + axis]
        count = -(-(covered - reach) // strides[axis]) + 1
        if (count - 1) * strides[axis] >= sizes[axis] + pads[axis]:
            count -= 1
        grown[axes + axis] += max((count - 1) * strides[axis] + reach - covered, 0)
    return grown


def _is_same(window: Window, sizes: Sequence[int]) -> bool:
    """Whether the padding is what TensorFlow Lite calls SAME."""
    wanted = _same("SAME_UPPER", sizes, window.kernel, window.strides, window.dilations)
    return [*window.before, *window.after] == wanted


def four_axes(importer: Importer, value: Value) -> tuple[int, tuple[int, int], int]:
    """(tensor [N, height, width, channels], its height and width, its channels)."""
    tensor = importer.last(value)
    batch, channels, *sizes = value.shape
    if len(sizes) == 1:
        tensor = importer.reshape(tensor, (batch, 1, sizes[0], channels), "wide")
        sizes = [1, *sizes]
    return tensor, _two(sizes), channels


def padded(
    importer: Importer, tensor: int, sizes: tuple[int, int], window: Window, batch: int, channels: int
) -> tuple[int, tuple[int, int]]:
    """The tensor with a border of zeros."""
    grown = _two([size + low + high for size, low, high in zip(sizes, window.before, window.after, strict=True)])
    borders = np.array([[0, 0], *zip(window.before, window.after, strict=True), [0, 0]], np.int32)
    target = importer.builder.tensor(f"padded_{tensor}", (batch, *grown, channels))
    importer.builder.operator("pad", [tensor, importer.builder.constant(borders)], [target])
    return target, grown


def put(importer: Importer, node: Node, name: str, sources: Sequence[int], **options: Any) -> None:
    """An operator that gives [N, height, width, channels], as the output of the node."""
    shape = importer.shapes[node.outputs[0]][0]
    if len(shape) == 4:
        importer.builder.operator(name, sources, [importer.output(node, last=True)], **options)
        return
    batch, channels, width = shape
    target = importer.builder.tensor(f"{node.outputs[0]}_wide", (batch, 1, width, channels))
    importer.builder.operator(name, sources, [target], **options)
    final = importer.output(node, last=True)
    size = importer.builder.constant(np.array([batch, width, channels], np.int32))
    importer.builder.operator("reshape", [target, size], [final])


def _options(window: Window, padding: int) -> dict[str, Any]:
    return {"padding": padding, "stride_h": window.strides[0], "stride_w": window.strides[1]}


def _pooling(window: Window, padding: int) -> dict[str, Any]:
    return {**_options(window, padding), "filter_height": window.kernel[0], "filter_width": window.kernel[1]}


def conv(importer: Importer, node: Node) -> None:
    value, filters = importer.value(node, 0), importer.value(node, 1)
    if filters.data is None:
        raise node.refuse("its weights are computed; they have to be constant")
    weights, groups = filters.data, int(node.get("group", 1))
    window = window_of(node, value, weights.shape[2:])
    if weights.ndim == 3:
        weights = weights[:, :, None]
    tensor, sizes, channels = four_axes(importer, value)
    outputs = weights.shape[0]
    padding = schema.Padding.VALID
    if window.padded and _is_same(window, sizes):
        padding = schema.Padding.SAME
    elif window.padded:
        tensor, _ = padded(importer, tensor, sizes, window, value.shape[0], channels)
    bias = importer.optional(node, 2)
    bias_data = np.zeros(outputs, np.float32) if bias is None or bias.data is None else bias.data
    if bias is not None and bias.data is None:
        raise node.refuse("its bias is computed; it has to be constant")
    options = {
        **_options(window, padding),
        "dilation_h_factor": window.dilations[0],
        "dilation_w_factor": window.dilations[1],
    }
    scales = _moved_scales(filters.quantization, 0)
    if groups == 1:
        kernel, name = weights.transpose(0, 2, 3, 1), "conv_2d"
    elif groups == channels:
        kernel, name = weights.transpose(1, 2, 3, 0), "depthwise_conv_2d"
        scales = _moved_scales(filters.quantization, 3)
        options["depth_multiplier"] = outputs // channels
    else:
        raise node.refuse(
            f"{groups} groups of {channels} channels; TensorFlow Lite Micro has one group, or one for each channel",
            "use a convolution for each group, and concatenate",
        )
    sources = [tensor, importer.weights(kernel, scales), importer.weights(bias_data, None)]
    put(importer, node, name, sources, **options)


def _moved_scales(quantization: Quantization | None, axis: int) -> Quantization | None:
    """Scales of filters [outputs, ...], whose axis of outputs now is `axis`."""
    return None if quantization is None else replace(quantization, axis=axis)


def max_pool(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    window = window_of(node, value, node.get("kernel_shape"))
    _refuse_dilations(node, window)
    if any(name in importer.read for name in node.outputs[1:]):
        raise node.refuse("the places of its maxima are used too", "give the maxima alone")
    tensor, sizes, channels = four_axes(importer, value)
    padding = schema.Padding.VALID
    if window.padded and _is_same(window, sizes):
        padding = schema.Padding.SAME
    elif window.padded:
        if not _is_positive(importer, tensor):
            raise node.refuse(
                f"its padding {window.before} and {window.after} is none of TensorFlow Lite's, and its input may be "
                "negative, so that zeros would count",
                "pad as SAME does, or put the pooling behind a ReLU",
            )
        tensor, _ = padded(importer, tensor, sizes, window, value.shape[0], channels)
    put(importer, node, "max_pool_2d", [tensor], **_pooling(window, padding))


def _refuse_dilations(node: Node, window: Window) -> None:
    if window.dilations != (1, 1):
        raise node.refuse("TensorFlow Lite has no pooling with dilations")


def _is_positive(importer: Importer, tensor: int) -> bool:
    """Whether a tensor comes out of a relu."""
    return any(
        tensor in operator.outputs and _ends_with_relu(importer, operator)
        for operator in importer.builder.graph.operators
    )


def _ends_with_relu(importer: Importer, operator: Any) -> bool:
    name = flatbuffer.operator_name(importer.builder.model, operator)
    if name == "reshape":
        return _is_positive(importer, operator.inputs[0])
    return name in ("relu", "relu6", "logistic") or bool(getattr(operator.builtinOptions, "fusedActivationFunction", 0))


def average_pool(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    window = window_of(node, value, node.get("kernel_shape"))
    _refuse_dilations(node, window)
    tensor, sizes, channels = four_axes(importer, value)
    padding = schema.Padding.VALID
    if window.padded and not node.get("count_include_pad", 0):
        if not _is_same(window, sizes):
            raise node.refuse(
                f"its padding {window.before} and {window.after} is none that TensorFlow Lite has", "pad as SAME does"
            )
        padding = schema.Padding.SAME
    elif window.padded:
        if node.get("ceil_mode", 0):
            raise node.refuse("it rounds its size up and counts its padding", "leave out ceil_mode")
        tensor, _ = padded(importer, tensor, sizes, window, value.shape[0], channels)
    put(importer, node, "average_pool_2d", [tensor], **_pooling(window, padding))


def global_pool(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    axes = np.arange(1, value.rank - 1, dtype=np.int32)
    name = "mean" if node.kind == "GlobalAveragePool" else "reduce_max"
    sources = [importer.last(value), importer.builder.constant(axes)]
    importer.builder.operator(name, sources, [importer.output(node, last=True)], keep_dims=True)


def batch_normalization(importer: Importer, node: Node) -> None:
    """A factor and a term for each channel; within the convolution in front where this is its only reader."""
    if node.get("training_mode", 0):
        raise node.refuse("it is in training mode", "export the model in its mode for inference: `model.eval()`")
    value = importer.value(node, 0)
    scale, shift, mean, variance = (_vector(importer, node, position) for position in range(1, 5))
    factor = scale / np.sqrt(variance + float(node.get("epsilon", 1e-5)))
    term = shift - mean * factor
    if value.index is not None and _fold(importer, value, factor, term):
        importer.alias(node, value)
        return
    source, builder = importer.last(value) if value.rank > 2 else importer.plain(value), importer.builder
    last = value.rank > 2
    middle = builder.tensor(f"{node.outputs[0]}_scaled", replace(value, last=last, flat_of=None).stored_shape)
    builder.operator("mul", [source, builder.constant(factor.astype(np.float32))], [middle])
    builder.operator("add", [middle, builder.constant(term.astype(np.float32))], [importer.output(node, last=last)])


def _vector(importer: Importer, node: Node, position: int) -> Array:
    found = importer.constant(node, position)
    assert found is not None
    return found.astype(np.float64)


def _fold(importer: Importer, value: Value, factor: Array, term: Array) -> bool:
    """Scale the weights of the operator that was made last, if it makes this value and nobody else will read it."""
    builder = importer.builder
    last = None if value.index is None else builder.maker(value.index)
    if last is None:
        return False
    name = flatbuffer.operator_name(builder.model, last)
    if name not in ("conv_2d", "depthwise_conv_2d") or last.builtinOptions.fusedActivationFunction:
        return False
    if last.inputs[1] in importer.scales:
        return False
    kernel, bias = (_data(importer, key) for key in last.inputs[1:3])
    shaped = factor if name == "depthwise_conv_2d" else factor[:, None, None, None]
    last.inputs[1] = builder.constant((kernel * shaped).astype(np.float32))
    last.inputs[2] = builder.constant((bias * factor + term).astype(np.float32))
    return True


def _data(importer: Importer, key: int) -> Array:
    tensor = importer.builder.graph.tensors[key]
    raw = importer.builder.model.buffers[tensor.buffer].data
    return np.frombuffer(raw.tobytes(), np.float32).reshape(tensor.shape).astype(np.float64)


HANDLERS = {
    "Conv": conv,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
    "BatchNormalization": batch_normalization,
}
