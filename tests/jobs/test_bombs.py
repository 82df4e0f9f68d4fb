"""Small files that ask for much: refused, or planned, in little memory and time."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import QuantizedModel, Silence
from tinyedge.boards import load_board
from tinyedge.digests import digest
from tinyedge.errors import FitError, ModelError
from tinyedge.graph.reader import read_model
from tinyedge.optimize import optimize_graph
from tinyedge.runtimes import make_runtime

HUGE = (1, 16_000, 16_000, 4)
MOST_MORE_BYTES = 300 << 20


def quantized(builder: TfliteBuilder, shape: tuple[int, ...], data: int | None = None) -> int:
    values = None if data is None else np.full(shape, data, np.int8)
    return builder.tensor(shape, scale=0.1, data=values)


def numbers(builder: TfliteBuilder, *values: int) -> int:
    return builder.tensor([len(values)], "int32", data=np.array(values, np.int32))


def broadcast_to(builder: TfliteBuilder, source: int, target: int) -> None:
    builder.operator("broadcast_to", [source, numbers(builder, *HUGE)], [target])


def resize_nearest(builder: TfliteBuilder, source: int, target: int) -> None:
    builder.operator("resize_nearest_neighbor", [source, numbers(builder, *HUGE[1:3])], [target])


def resize_bilinear(builder: TfliteBuilder, source: int, target: int) -> None:
    builder.operator("resize_bilinear", [source, numbers(builder, *HUGE[1:3])], [target])


def pad(builder: TfliteBuilder, source: int, target: int) -> None:
    pairs = np.array([[0, 0], [0, HUGE[1] - 1], [0, HUGE[2] - 1], [0, 0]], np.int32)
    builder.operator("pad", [source, builder.tensor([4, 2], "int32", data=pairs)], [target])


def fill(builder: TfliteBuilder, source: int, target: int) -> None:
    made = quantized(builder, HUGE)
    builder.operator("fill", [numbers(builder, *HUGE), quantized(builder, (), 1)], [made])
    builder.operator("add", [made, source], [target])


def broadcast_constant(builder: TfliteBuilder, source: int, target: int) -> None:
    made = quantized(builder, HUGE)
    broadcast_to(builder, quantized(builder, (1, 1, 1, 4), 1), made)
    builder.operator("add", [made, source], [target])


def prepare(tflite: bytes, board: str = "nrf52840") -> int:
    """The bytes of the planned arena."""
    model = QuantizedModel("bomb", tflite, digest(tflite))
    prepared = make_runtime("aot", None).prepare(model, load_board(board), "balanced", Path("nowhere"), Silence())
    return prepared.plan.arena_bytes


@pytest.mark.parametrize("board", ["nrf52840", "host"])
@pytest.mark.parametrize("ask", [broadcast_to, resize_nearest, resize_bilinear, pad, fill, broadcast_constant])
def test_a_tensor_that_no_memory_holds_is_refused_before_it_is_made(
    ask: Callable[[TfliteBuilder, int, int], None], board: str
) -> None:
    builder = TfliteBuilder()
    source, target = quantized(builder, (1, 1, 1, 4)), quantized(builder, HUGE)
    ask(builder, source, target)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((FitError, ModelError), match=r"1,024,000,000 B|bomb"):
        prepare(builder.build([source], [target]), board)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < MOST_MORE_BYTES


def test_many_constants_are_folded_within_bounds() -> None:
    """Sixty constants of 4 MiB each, added up: the pass stops when it has computed enough, and stays lossless."""
    builder = TfliteBuilder()
    shape = (1, 512, 1024, 8)
    source, total = quantized(builder, (1, 8)), -1
    for number in range(60):
        made, summed = quantized(builder, shape), quantized(builder, shape)
        builder.operator("broadcast_to", [quantized(builder, (1, 1, 1, 1), number), numbers(builder, *shape)], [made])
        builder.operator("add", [total if number else source, made], [summed])
        total = summed
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    optimize_graph(read_model(builder.build([source], [total]), "bomb"))
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10 < 1 << 30


def test_a_sparse_file_of_20_gb_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    with path.open("wb") as stream:
        stream.truncate(20 << 30)
    with pytest.raises(ModelError, match=r"21,474,836,480 B; a model for a microcontroller has at most"):
        QuantizedModel.from_file(path)


def chain(count: int) -> bytes:
    builder = TfliteBuilder()
    source = last = quantized(builder, (1, 16))
    for number in range(count):
        following = quantized(builder, (1, 16))
        builder.operator("add", [last, source if number % 2 else last], [following])
        last = following
    return builder.build([source], [last])


def fan(count: int) -> bytes:
    builder = TfliteBuilder()
    source = quantized(builder, (1, 16))
    outputs = [quantized(builder, (1, 16)) for _ in range(count)]
    for output in outputs:
        builder.operator("add", [source, source], [output])
    return builder.build([source], outputs)


def seconds_of(make: Callable[[int], bytes], count: int, arena_bytes: int) -> float:
    """Processor time of preparing a model of `count` operators, whose plan is held."""
    tflite = make(count)
    begun = time.process_time()
    assert prepare(tflite) <= arena_bytes
    return time.process_time() - begun


@pytest.mark.parametrize(("make", "count", "bytes_each"), [(chain, 300, 0), (fan, 100, 16)], ids=["chain", "fan"])
def test_planning_time_does_not_grow_as_the_square(make: Callable[[int], bytes], count: int, bytes_each: int) -> None:
    """Four times the operators in less than eight times the time (about five; the square would be sixteen)."""
    prepare(make(1))  # what is read and compiled once
    short = seconds_of(make, count, max(48, bytes_each * count))
    assert seconds_of(make, 4 * count, max(48, bytes_each * 4 * count)) < 8 * short
