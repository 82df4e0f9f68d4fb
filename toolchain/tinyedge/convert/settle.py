"""A float .tflite made ready for quantization: one signature, batch 1, and constants for what the file fixes.

What computes shapes alone, what reads constants alone (float16 weights, say), and dynamic batches would otherwise stay
in the model as operators in float32. Of a concatenation whose parts are taken one by one, the others are not needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert import flatbuffer
from tinyedge.convert.interpret import Interpreter
from tinyedge.convert.parts import group_parts, split_evenly, take_parts
from tinyedge.errors import ModelError, UsageError

KEY = "serving_default"
_STATEFUL = frozenset(
    (
        "var_handle", "read_variable", "assign_variable", "call_once",
        "random_uniform", "random_standard_normal", "multinomial",
    )
)  # fmt: skip
_MOST_FOLDED_BYTES = 1 << 24


def settle(tflite: bytes, signature: str | None = None) -> bytes:
    """The same function with the shapes of a batch of 1.

    signature  which one, where the file has several

    Raises: ModelError for a damaged file, operators that TensorFlow Lite does not have, or shapes that stay open
    """
    model = _choose(flatbuffer.unpack(tflite), signature)
    interpreter = Interpreter(flatbuffer.pack(model))
    interpreter.fix_batch()
    graph = model.subgraphs[0]
    shapes = interpreter.shapes()
    for index, tensor in enumerate(graph.tensors):
        tensor.shapeSignature = None
        if index in shapes:
            tensor.shape = list(shapes[index])
    folded = list(_foldable(model, graph))
    if folded:
        interpreter.run_once()
        for key in _read(graph, folded):
            flatbuffer.set_constant(model, graph.tensors[key], interpreter.value(key))
        gone = {id(operator) for operator in folded}
        graph.operators = [operator for operator in graph.operators if id(operator) not in gone]
    _as_reshapes(model, graph)
    split_evenly(model, graph)
    take_parts(model, graph)
    _drop_unread(graph)
    group_parts(model, graph)
    _drop_tensors(model, graph)
    _name_apart(graph)
    return flatbuffer.pack(model)


def signatures(model: Any) -> list[str]:
    return [flatbuffer.text(found.signatureKey) for found in model.signatureDefs or []]


def _choose(model: Any, wanted: str | None) -> Any:
    """The model with its first subgraph as the one signature."""
    names = signatures(model)
    if wanted is not None and wanted not in names:
        told = ", ".join(f"`{name}`" for name in names) or "none"
        raise UsageError(f"the model has no signature `{wanted}`", hint=f"its signatures: {told}")
    if not names:
        model.signatureDefs = [_signature(model.subgraphs[0])]
        return model
    name = wanted or (KEY if KEY in names else names[0])
    chosen = model.signatureDefs[names.index(name)]
    if chosen.subgraphIndex:
        if any(_calls_subgraphs(model)):
            raise ModelError(
                f"signature `{name}` lies in subgraph {chosen.subgraphIndex} of a model whose subgraphs run each other",
                hint="export this function alone",
            )
        model.subgraphs = [model.subgraphs[chosen.subgraphIndex]]
        chosen.subgraphIndex = 0
    chosen.signatureKey = KEY.encode()
    model.signatureDefs = [chosen]
    return model


def _calls_subgraphs(model: Any) -> Iterator[bool]:
    for graph in model.subgraphs:
        for operator in graph.operators or []:
            yield flatbuffer.operator_name(model, operator) in ("while", "if", "call_once", "call")


def _signature(graph: Any) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = KEY.encode(), 0
    signature.inputs = [_named(f"input_{i}", int(key)) for i, key in enumerate(graph.inputs)]
    signature.outputs = [_named(f"output_{i}", int(key)) for i, key in enumerate(graph.outputs)]
    return signature


def _named(name: str, tensor: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), tensor
    return entry


def _foldable(model: Any, graph: Any) -> Iterator[Any]:
    """Operators whose results the file fixes: `shape`, and what reads nothing but constants and such results."""
    fixed = {index for index, tensor in enumerate(graph.tensors) if flatbuffer.is_constant(model, tensor)}
    for operator in graph.operators:
        name = flatbuffer.operator_name(model, operator)
        inputs = [int(key) for key in operator.inputs if key >= 0]
        known = name == "shape" or (inputs and all(key in fixed for key in inputs))
        outputs = [int(key) for key in operator.outputs]
        small = all(_bytes(graph.tensors[key]) <= _MOST_FOLDED_BYTES for key in outputs)
        if known and small and name not in _STATEFUL and not any(key in graph.outputs for key in outputs):
            fixed.update(outputs)
            yield operator


def _as_reshapes(model: Any, graph: Any) -> None:
    """Let expand_dims and squeeze, which the quantizer leaves in float, be reshapes to the shapes that are known."""
    for operator in graph.operators:
        if flatbuffer.operator_name(model, operator) not in ("expand_dims", "squeeze"):
            continue
        flatbuffer.as_reshape(model, graph, operator, int(operator.inputs[0]))


def _bytes(tensor: Any) -> int:
    return 8 * int(np.prod(np.asarray(tensor.shape if tensor.shape is not None else [], np.int64)))


def _read(graph: Any, folded: Sequence[Any]) -> set[int]:
    """Results of folded operators that others read."""
    gone = {id(operator) for operator in folded}
    made = {int(key) for operator in folded for key in operator.outputs}
    left = [operator for operator in graph.operators if id(operator) not in gone]
    return {int(key) for operator in left for key in operator.inputs if int(key) in made}


def _drop_unread(graph: Any) -> None:
    """Take away operators whose results nobody reads any more."""
    while True:
        read = {int(key) for operator in graph.operators for key in operator.inputs} | {int(k) for k in graph.outputs}
        kept = [op for op in graph.operators if any(int(key) in read for key in op.outputs) or not len(op.outputs)]
        if len(kept) == len(graph.operators):
            return
        graph.operators = kept


def _name_apart(graph: Any) -> None:
    """Let every tensor have a name of its own, which the quantizer needs."""
    taken = {flatbuffer.text(tensor.name) for tensor in graph.tensors}
    seen = {""}
    for index, tensor in enumerate(graph.tensors):
        name = own = flatbuffer.text(tensor.name)
        while own in seen or (own != name and own in taken):
            own = f"{name or 'tensor'}_{index}" if own == name else f"{own}_"
        tensor.name = own.encode()
        seen.add(own)


def _drop_tensors(model: Any, graph: Any) -> None:
    """Take away tensors that nothing names, and number the others anew."""
    named = {int(key) for operator in graph.operators for key in (*operator.inputs, *operator.outputs) if key >= 0}
    named |= {int(key) for key in (*graph.inputs, *graph.outputs)}
    numbers = {old: new for new, old in enumerate(sorted(named))} | {-1: -1}
    graph.tensors = [graph.tensors[old] for old in sorted(named)]
    for operator in graph.operators:
        operator.inputs = [numbers[int(key)] for key in operator.inputs]
        operator.outputs = [numbers[int(key)] for key in operator.outputs]
        operator.intermediates = None
    graph.inputs, graph.outputs = ([numbers[int(key)] for key in keys] for keys in (graph.inputs, graph.outputs))
    for entry in (*model.signatureDefs[0].inputs, *model.signatureDefs[0].outputs):
        entry.tensorIndex = numbers[int(entry.tensorIndex)]
