"""A model built, run in an emulator, verified and measured."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from tinyedge.artifacts import Measured, Observer
from tinyedge.emulate import choose
from tinyedge.emulate.contract import start_target
from tinyedge.jobs.build import build_each
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.data import data_given
from tinyedge.jobs.measure import measure


def run(
    choices: Choices,
    observer: Observer,
    *,
    emulator_name: str = "auto",
    inputs: str | None = None,
    samples: int | None = None,
) -> Measured:
    """Build, start the image, stream the samples through it, and compare every output byte with the oracle's.

    inputs, samples  as `measure` takes them

    Raises: BrokenRunError with what was measured when the firmware fails in the middle
    """
    each = run_each(choices, observer, emulator_name=emulator_name, inputs=inputs, samples=samples)
    return next(iter(each))


def run_each(
    choices: Choices,
    observer: Observer,
    *,
    emulator_name: str = "auto",
    inputs: str | None = None,
    samples: int | None = None,
) -> Iterator[Measured]:
    """The same for each of the models of a firmware, one after the other; the image starts anew for each."""
    for built, chosen in zip(build_each(choices, observer), choices.of_each_model(), strict=True):
        board = built.prepared.board
        emulator = choose(board, emulator_name)
        start = functools.partial(start_target, emulator, built.image, board)
        yield measure(built, observer, start, inputs, samples, data_given(chosen))
