"""Runs a plan with nothing but its arena: noise everywhere at first and in scratch, numpy for the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import Plan, PlannedGroup
from tinyedge.ops.reference import run_layer
from tinyedge.plan.addresses import Place, PlacedCall
from tinyedge.plan.rows import cells_of, height
from tinyedge.plan.stream import Stream
from tinyedge.plan.stream_kernel import StreamKernel

Array = npt.NDArray[Any]


def run_in_arena(plan: Plan, inputs: list[Array], seed: int) -> list[Array]:
    """The outputs; a group runs call by call, each of its layers on the rows that it finds at its addresses."""
    chance = np.random.default_rng(seed)
    arena = chance.integers(0, 256, plan.arena_bytes, np.uint8)

    def view(key: int) -> Array:
        buffer, tensor = plan.buffer_of(key), plan.graph.tensors[key]
        return arena[buffer.offset : buffer.offset + buffer.bytes].view(tensor.dtype.numpy).reshape(tensor.shape)

    for key, values in zip(plan.graph.inputs, inputs, strict=True):
        view(key)[...] = values
    for unit in plan.units:
        if unit.group is not None:
            _run_group(plan, unit.group, arena, chance)
            continue
        results = run_layer(unit.layer, [view(tensor.index).copy() for tensor in unit.layer.inputs])
        if unit.scratch is not None:
            end = unit.scratch.offset + unit.scratch.bytes
            arena[unit.scratch.offset : end] = chance.integers(0, 256, unit.scratch.bytes, np.uint8)
        for tensor, result in zip(unit.layer.outputs, results, strict=True):
            view(tensor.index)[...] = result
    return [view(key).copy() for key in plan.graph.outputs]


def _run_group(plan: Plan, group: PlannedGroup, arena: Array, chance: np.random.Generator) -> None:
    assert isinstance(group.kernel, StreamKernel)
    stream = group.kernel.stream
    strip = group.scratch.offset if group.scratch is not None else 0
    bases = {key: plan.buffer_of(key).offset for key in (*stream.inputs, stream.output)}
    for placed in stream.calls:
        _run_call(stream, placed, arena, strip, bases, chance)


def _run_call(
    stream: Stream, placed: PlacedCall, arena: Array, strip: int, bases: dict[int, int], chance: np.random.Generator
) -> None:
    if placed.slide is not None:
        to, by, size = strip + placed.slide.to, placed.slide.by, placed.slide.bytes
        arena[to : to + size] = arena[to + by : to + by + size].copy()
    if placed.border is not None:
        offset, size, value = placed.border
        arena[strip + offset : strip + offset + size] = value
    call = placed.call
    if placed.write is None:
        return
    results: list[Array]
    if call.action == "load":
        results = [_rows(arena, placed.reads[0], strip, bases, placed.reads[0].bytes)[0]]
    elif stream.flow.readings[call.of].kind == "sums":
        _add_rows(stream, placed, arena, strip, bases)
        return
    else:
        part = stream.parts[call.of, call.count]
        if call.of in stream.scratch:
            begin = strip + stream.scratch[call.of]
            arena[begin : begin + part.scratch_bytes] = chance.integers(0, 256, part.scratch_bytes, np.uint8)
        operands = []
        for place, tensor in zip(placed.reads, part.layer.inputs, strict=True):
            rows = _rows(arena, place, strip, bases, tensor.bytes // tensor.shape[1])
            operands.append(rows.reshape(-1).view(tensor.dtype.numpy).reshape(tensor.shape))
        (result,) = run_layer(part.layer, operands)
        results = list(np.ascontiguousarray(result).view(np.uint8).reshape(call.count, -1))
    size = len(results[0])
    start = placed.write.offset + (bases[placed.write.tensor] if placed.write.whole else strip)
    for number, row in enumerate(results):
        at = start + number * size  # kernels write rows one behind the other
        arena[at : at + len(row)] = row


def _rows(arena: Array, place: Place, strip: int, bases: dict[int, int], size: int) -> Array:
    """A copy of the rows at a place, [rows, bytes]."""
    start = place.offset + (bases[place.tensor] if place.whole else strip)
    return np.stack([arena[start + r * place.pitch : start + r * place.pitch + size] for r in range(place.rows)])


def _add_rows(stream: Stream, placed: PlacedCall, arena: Array, strip: int, bases: dict[int, int]) -> None:
    """Sums stay in the strip from call to call; the last one makes the output of them."""
    call = placed.call
    layer = stream.flow.layers[call.of]
    source = layer.inputs[0]
    begin = strip + stream.scratch[call.of]
    sums = arena[begin : begin + 4 * source.shape[3]].view(np.int32)
    if call.first == 0:
        sums[:] = 0
    rows = _rows(arena, placed.reads[0], strip, bases, source.shape[2] * source.shape[3])
    sums += rows.view(np.int8).reshape(-1, source.shape[3]).sum(axis=0, dtype=np.int32)
    if call.first + call.count == height(source):
        # The reference is given any image of these sums, cell by cell as near to their mean as int8 allows.
        cells = cells_of(layer)
        low = sums // cells
        image = np.where(np.arange(cells)[:, None] < (sums - low * cells)[None, :], low + 1, low).astype(np.int8)
        (result,) = run_layer(layer, [image.reshape(source.shape)])
        at = bases[stream.output]
        arena[at : at + layer.outputs[0].bytes] = result.view(np.uint8).reshape(-1)
