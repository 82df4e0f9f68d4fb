"""The front of ONNX models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.convert.contract import Brought, Settings
from tinyedge.convert.interpret import run_all
from tinyedge.convert.matching import Wanted, match_inputs, spread
from tinyedge.convert.onnx.convert_model import Imported, import_model
from tinyedge.convert.onnx.load import batch_axes, evaluate, external_files, input_specs, load_model
from tinyedge.convert.onnx.qdq import has_scales, with_own_scales
from tinyedge.convert.onnx.values import with_channels_last
from tinyedge.data import Arrays
from tinyedge.digests import file_digest
from tinyedge.graph.ir import Array

_EVALUATED = 64
"""samples that ONNX's reference, which is slow, computes"""
_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""of a ModelProto: number -> wire type"""


class Onnx:
    title = "ONNX"
    packages: Sequence[tuple[str, str]] = (("onnx", "import"),)
    can_rebuild = False

    def recognizes(self, path: Path, head: bytes) -> bool:
        return path.is_file() and (_looks_like_model(head) or (path.suffix == ".onnx" and head[4:8] != b"TFL3"))

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        model = load_model(path)
        imported = import_model(model)
        specs = input_specs(model)
        batches = batch_axes(model)
        wanted = [
            Wanted(name, (*shape[: batches[name]], *shape[batches[name] + 1 :]), _kept(dtype))
            for name, shape, dtype in specs
        ]
        given = match_inputs(data, wanted)
        few = spread(len(given[0]), _EVALUATED)
        answers = _answers(model, imported, [array[few] for array in given])
        inputs = tuple(_laid(array, last) for array, last in zip(given, imported.inputs_last, strict=True))
        if has_scales(model):
            tflite = with_own_scales(imported.tflite, imported.scales)
            return Brought(tflite, tuple(array[few] for array in inputs), answers, exact=True)
        floats = run_all(imported.tflite, inputs)
        outputs = tuple(_with(array.copy(), few, own) for array, own in zip(floats, answers, strict=True))
        return Brought(imported.tflite, inputs, outputs)

    def surroundings(self, path: Path, settings: Settings) -> str:
        """The files beside it that hold its weights."""
        return file_digest(file for file in external_files(path) if file.is_file())

    def outside(self, path: Path, settings: Settings, folder: Path) -> None:
        return None


FRONT = Onnx()


def _kept(dtype: np.dtype[Any]) -> str:
    return "float32" if dtype.kind == "f" else dtype.name


def _laid(array: Array, last: bool) -> Array:
    return with_channels_last(array) if last else array


def _answers(model: Any, imported: Imported, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """What ONNX's reference evaluator answers, in the layout of the .tflite."""
    specs = input_specs(model)
    rows = []
    for sample in range(len(inputs[0])):
        feeds = [
            array[sample].reshape(shape).astype(dtype) for array, (_, shape, dtype) in zip(inputs, specs, strict=True)
        ]
        rows.append([np.asarray(value) for value in evaluate(model, feeds).values()])
    columns = [np.stack([np.asarray(row[i], np.float32) for row in rows]) for i in range(len(rows[0]))]
    return tuple(
        np.stack([_laid(entry, last) for entry in column]).reshape(len(column), -1)
        for column, last in zip(columns, imported.outputs_last, strict=True)
    )


def _with(floats: Array, few: Array, own: Array) -> Array:
    """What the .tflite answers, and the source itself where it was asked: `worker` compares the two."""
    floats[few] = own.reshape(len(few), *floats.shape[1:])
    return floats


def _looks_like_model(head: bytes) -> bool:
    """Whether bytes begin as a ModelProto does: its version, then known fields up to its graph."""
    at, seen = 0, set()
    while at < len(head):
        key, at = _varint(head, at)
        number, wire = key >> 3, key & 7
        if _FIELDS.get(number) != wire:
            return False
        seen.add(number)
        value, at = _varint(head, at)
        if number == 7:
            return 1 in seen and value > 0
        at += value if wire == 2 else 0
    return {1, 7} <= seen or (1 in seen and at > len(head) and 8 in seen)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 64:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if not byte & 0x80:
            return value, at
        shift += 7
    return value, len(data) + 1
