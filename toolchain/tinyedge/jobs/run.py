"""A model built, run in an emulator, verified and measured."""

from __future__ import annotations

from tinyedge.artifacts import Measured, Observer
from tinyedge.emulate import choose
from tinyedge.emulate.contract import start_target
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices
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
    built = build(choices, observer)
    board = built.prepared.board
    emulator = choose(board, emulator_name)
    return measure(built, observer, lambda: start_target(emulator, built.image, board), inputs, samples)
