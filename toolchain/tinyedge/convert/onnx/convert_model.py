"""From a loaded ONNX model to a float .tflite, node by node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tinyedge.convert.onnx import load
from tinyedge.convert.onnx.importer import Handler, Importer, Node, stored_type
from tinyedge.convert.onnx.values import Value
from tinyedge.discovery import collect
from tinyedge.graph.ir import Array, Quantization

_LOOPS = ("RNN", "Loop", "Scan", "If")
_DOMAINS = ("", "ai.onnx")
_FOLDED_BYTES = 1 << 24


@cache
def handlers() -> dict[str, Handler]:
    """Every operator that is imported, by its name in ONNX."""
    found: dict[str, Handler] = {}
    for table in collect("tinyedge.convert.onnx.operators", "HANDLERS"):
        found |= table
    return found


@dataclass(frozen=True, eq=False)
class Imported:
    """A .tflite, and which of its inputs and outputs (4 axes or 3) have their channels last."""

    tflite: bytes
    inputs_last: tuple[bool, ...]
    outputs_last: tuple[bool, ...]
    scales: Mapping[int, Quantization]
    """of constants that the source has in integers, by tensor"""


def import_model(model: Any, *, channels_last: bool = True) -> Imported:
    """The float .tflite of a model with fixed shapes.

    Its inputs and outputs of 3 or 4 axes have their channels last where what reads or makes them has.

    Raises: ModelError that names the first node that cannot be imported
    """
    refuse_unknown(model)
    specs = load.input_specs(model)
    zeros = [np.zeros(shape, dtype) for _, shape, dtype in specs]
    known = load.evaluate(model, zeros, inner=True)
    shapes = {name: (np.shape(array), np.asarray(array).dtype) for name, array in known.items()}
    shapes |= {name: (shape, dtype) for name, shape, dtype in specs}
    counts = _readers(model)
    importer = Importer(shapes, counts)
    windows = _read_by_windows(model) if channels_last else set()
    batches = load.batch_axes(model)
    inputs = [
        _add_input(importer, name, shape, dtype, last=name in windows, batch=batches[name])
        for name, shape, dtype in specs
    ]
    _add_constants(importer, model)
    importer.builder.kept = _Kept(importer, counts)
    for number, proto in enumerate(model.graph.node):
        node = Node(proto, number)
        if not _fold(importer, node, known):
            handlers()[node.kind](importer, node)
    outputs, lasts = [], []
    for entry in model.graph.output:
        value = importer.values[entry.name]
        last = value.last and channels_last
        outputs.append(importer.last(value) if last else importer.plain(value))
        lasts.append(last)
    tflite = importer.builder.build([value.index or 0 for value in inputs], outputs)
    return Imported(tflite, tuple(value.last for value in inputs), tuple(lasts), importer.scales)


def refuse_unknown(model: Any) -> None:
    """Raises: ModelError for operators that no handler imports, all of them at once."""
    unknown = [
        Node(proto, number)
        for number, proto in enumerate(model.graph.node)
        if proto.domain not in _DOMAINS or (proto.op_type not in handlers() and proto.op_type not in _FOLDED)
    ]
    if not unknown:
        return
    first = unknown[0]
    kinds = Counter(node.kind for node in unknown)
    others = ", ".join(f"`{kind}` ({count})" for kind, count in sorted(kinds.items()) if kind != first.kind)
    what = f"ONNX operator `{first.kind}` is not imported{f'; nor are {others}' if others else ''}"
    if first.kind in _LOOPS:
        raise first.refuse(what, "use an LSTM or a GRU, which are written out step by step, or convolutions over time")
    raise first.refuse(what, f"imported are {', '.join(sorted(handlers()))}")


_FOLDED = ("Constant", "Shape", "ConstantOfShape", "Range", "Size", "Equal", "Where", "Expand", "Not", "Cast")
"""operators that are taken where their results are the same for every input"""


def _read_by_windows(model: Any) -> set[str]:
    """Inputs that convolutions, poolings or resizing read."""
    kinds = ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "Resize")
    through = ("QuantizeLinear", "DequantizeLinear", "BatchNormalization", "Sub", "Mul", "Add", "Div", "Pad")
    read = set()
    sources = {name: name for name, _, _ in load.input_specs(model)}
    for node in model.graph.node:
        first = node.input[0] if node.input else ""
        if first in sources and node.op_type in kinds:
            read.add(sources[first])
        if first in sources and node.op_type in through:
            sources[node.output[0]] = sources[first]
    return read


def _add_input(
    importer: Importer, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], *, last: bool, batch: int
) -> Value:
    """The tensor of an input. Where the batch, of 1, is not its first axis it is put there."""
    if batch and shape[batch] == 1:
        whole = (1, *shape[:batch], *shape[batch + 1 :])
        value = Value(whole, importer.builder.tensor(name, whole, stored_type(dtype)))
        assert value.index is not None
        importer.values[name] = Value(shape, importer.reshape(value.index, shape, name))
        return value
    value = Value(shape, last=last and len(shape) in (3, 4))
    index = importer.builder.tensor(name, value.stored_shape, stored_type(dtype))
    value = Value(shape, index, last=value.last)
    importer.values[name] = value
    return value


def _add_constants(importer: Importer, model: Any) -> None:
    import onnx

    for tensor in model.graph.initializer:
        data = onnx.numpy_helper.to_array(tensor)
        importer.values[tensor.name] = Value(data.shape, data=_narrow(data))


def _narrow(data: Array) -> Array:
    """Half and double precision as single."""
    return data.astype(np.float32) if data.dtype.kind == "f" else data


def _fold(importer: Importer, node: Node, known: dict[str, Any]) -> bool:
    """Take the outputs of a node as constants where they are: of constants, or of shapes alone."""
    inputs = [importer.values[name] for name in node.inputs if name]
    constant = node.kind in ("Shape", "Size") or all(value.data is not None for value in inputs)
    if not constant or node.kind in ("DequantizeLinear", "Identity"):
        return False
    for name in node.outputs:
        if name:
            data = np.asarray(known[name])
            if data.nbytes > _FOLDED_BYTES:
                raise node.refuse(f"its constant result takes {data.nbytes:,} B")
            importer.values[name] = Value(data.shape, data=_narrow(data))
    return True


def _readers(model: Any) -> Counter[str]:
    """How often each value is read, as an output too."""
    counts = Counter(name for node in model.graph.node for name in node.input)
    counts.update(entry.name for entry in model.graph.output)
    return counts


class _Kept:
    """The tensors of values that more than one node reads, or that are outputs; asked while the graph grows."""

    def __init__(self, importer: Importer, counts: Mapping[str, int]) -> None:
        self._several = [name for name, count in counts.items() if count > 1]
        self._importer = importer

    def __contains__(self, index: object) -> bool:
        values = self._importer.values
        return any(name in values and values[name].index == index for name in self._several)
