"""Hostile files through the reader, the rules of the operators, the passes and the planner.

Each file must be taken or be refused with a TinyEdgeError that is not a defect of tinyedge, in seconds, and without
more memory than the file can account for.

TINYEDGE_FUZZ_SECONDS=n  so long in all (10); TINYEDGE_SEED=n  other files
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from kits.mutations import mutate_bytes, mutate_fields
from kits.random_graph import random_model
from tinyedge.artifacts import Plan
from tinyedge.boards import CORES
from tinyedge.errors import InternalError, TinyEdgeError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops import check
from tinyedge.optimize import optimize_graph
from tinyedge.plan import make_plan

ROOT = Path(__file__).resolve().parents[2]
SECONDS = float(os.environ.get("TINYEDGE_FUZZ_SECONDS", "10"))
SEED = int(os.environ.get("TINYEDGE_SEED", "1"))
FILES = 60
"""generated files that are mutated, beside the small ones of ../shared/models"""
LARGEST = 100_000
"""bytes of a real model that is still mutated: larger ones only take longer"""
HANG_S = 20.0

Mutate = Callable[[bytes, np.random.Generator], bytes | None]


@cache
def corpus() -> tuple[bytes, ...]:
    """Sound files, small ones first."""
    files = [random_model(SEED, number).tflite for number in range(FILES)]
    real = sorted((ROOT.parent / "shared" / "models").glob("*.tflite"))
    files += [path.read_bytes() for path in real if path.stat().st_size <= LARGEST]
    return tuple(sorted(files, key=len))


@contextlib.contextmanager
def no_hang() -> Iterator[None]:
    """Raises: TimeoutError when what is inside takes longer than HANG_S, where signals can tell."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"no end after {HANG_S:g} s")

    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read(data: bytes) -> Graph:
    graph = read_model(data, "fuzz")
    check(graph)
    return graph


def plan(data: bytes) -> Plan:
    return make_plan(optimize_graph(read(data)), CORES["cortex-m4f"], "balanced")


@dataclass(frozen=True)
class Stage:
    """Something that a file goes through, and the memory it may take: so many times its size, and so much more."""

    work: Callable[[bytes], object]
    times: int
    more_bytes: int


STAGES = (
    Stage(read, 16, 1 << 16),
    Stage(lambda data: optimize_graph(read(data)), 16, 1 << 18),
    Stage(plan, 64, 1 << 22),  # kernels try several ways of laying out the same weights
)


def hold(data: bytes, *, trace: bool) -> bool:
    """Whether a file was taken. Raises: AssertionError when it took too much memory, or whatever a defect raises.

    trace  measure the memory of every stage, which takes several times as long, instead of the first one's
    """
    for stage in STAGES if trace else STAGES[:1]:
        most_bytes = stage.times * len(data) + stage.more_bytes
        for _ in range(3):  # caches, and tables of Python's own that happen to grow now, count for no file
            taken, peak = _measured(stage, data)
            if peak <= most_bytes:
                break
        assert peak <= most_bytes, f"{peak:,} bytes for a file of {len(data):,}, at most {most_bytes:,}"
    return taken if trace or not taken else _takes(plan, data)


def _takes(work: Callable[[bytes], object], data: bytes) -> bool:
    """Whether the file was taken; the errors that a user may see are a refusal."""
    try:
        with no_hang():
            work(data)
    except InternalError:
        raise
    except TinyEdgeError:
        return False
    return True


def _measured(stage: Stage, data: bytes) -> tuple[bool, int]:
    """Whether the file was taken, and the most memory there was on the way."""
    tracemalloc.start()
    try:
        return _takes(stage.work, data), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def fuzz(mutate: Mutate, seconds: float) -> tuple[int, int]:
    """Hold mutated files against the rules until the time is up; (files, of which taken)."""
    counts = [0, 0]
    files = corpus()

    @settings(
        max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    @given(st.integers(0, len(files) - 1), st.integers(0, (1 << 32) - 1))
    def one(number: int, chance: int) -> None:
        data = mutate(files[number], np.random.default_rng(chance))
        if data is None:
            return
        counts[0] += 1
        try:
            counts[1] += hold(data, trace=chance % 4 == 0)
        except BaseException as error:
            folder = ROOT / "build" / "fuzz"
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.tflite"
            path.write_bytes(data)
            error.add_note(f"TINYEDGE_SEED={SEED}, the file is saved as {path}")
            raise

    end = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < end:
        seed((SEED << 20) + turn)(one)()
        turn += 1
    return counts[0], counts[1]


@pytest.mark.parametrize("mutate", [mutate_bytes, mutate_fields])
def test_hostile_files(mutate: Mutate) -> None:
    count, taken = fuzz(mutate, SECONDS / 2)
    assert count > 10
    print(f"{count} files, {taken} of them taken")
