"""A float .tflite, whoever made it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert import flatbuffer
from tinyedge.convert.contract import Brought, Settings
from tinyedge.convert.interpret import Interpreter, run_all
from tinyedge.convert.matching import Wanted, match_inputs
from tinyedge.convert.settle import settle
from tinyedge.data import Arrays
from tinyedge.graph.ir import Array

_FLOATS = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)
_TABLE_BYTES = 16
"""what a tensor takes in a file at the very least"""


class TfliteFloat:
    title = "float .tflite"
    packages: Sequence[tuple[str, str]] = ()
    can_rebuild = False

    def recognizes(self, path: Path, head: bytes) -> bool:
        return head[4:8] == flatbuffer.MAGIC and is_float(path.read_bytes())

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        tflite = settle(path.read_bytes(), settings.signature)
        inputs = match_inputs(data, wanted_by(tflite))
        return Brought(tflite, inputs, tuple(run_all(tflite, inputs)))

    def surroundings(self, path: Path, settings: Settings) -> str:
        return ""

    def outside(self, path: Path, settings: Settings, folder: Path) -> None:
        return None


FRONT = TfliteFloat()


def is_float(tflite: bytes) -> bool:
    """Whether a model computes in float: it holds float tensors, and none that is quantized. A damaged one does not."""
    floats = False
    try:
        for kind, scales in _tensors(tflite):
            if scales:
                return False
            floats = floats or kind in _FLOATS
    except (struct.error, ValueError, TypeError, IndexError, OverflowError):
        return False
    return floats


def _tensors(tflite: bytes) -> Iterator[tuple[int, int]]:
    """(type, number of scales) of every tensor, read in place: the file is not trusted."""
    model = schema.Model.GetRootAs(tflite, 0)
    most = len(tflite) // _TABLE_BYTES
    for number in range(min(model.SubgraphsLength(), most)):
        graph = model.Subgraphs(number)
        for index in range(min(graph.TensorsLength(), most)):
            tensor = graph.Tensors(index)
            parameters = tensor.Quantization()
            yield tensor.Type(), 0 if parameters is None else parameters.ScaleLength()


def wanted_by(tflite: bytes) -> list[Wanted]:
    """The inputs of a settled model, by the names of its signature."""
    model = flatbuffer.unpack(tflite)
    names = {int(entry.tensorIndex): flatbuffer.text(entry.name) for entry in model.signatureDefs[0].inputs}
    details = Interpreter(tflite).inputs
    return [
        Wanted(names[detail["index"]], _sample_shape(detail["shape"]), np.dtype(detail["dtype"]).name)
        for detail in details
    ]


def _sample_shape(shape: Array) -> tuple[int, ...]:
    extents = tuple(int(extent) for extent in shape)
    return extents[1:] if extents[:1] == (1,) else extents
