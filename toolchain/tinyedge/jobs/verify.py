"""A board that was flashed, verified and measured over its serial line."""

from __future__ import annotations

from tinyedge.artifacts import Measured, Observer
from tinyedge.jobs.board import open_board
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import measure


def verify(
    choices: Choices,
    observer: Observer,
    *,
    port: str | None = None,
    inputs: str | None = None,
    samples: int | None = None,
) -> Measured:
    """Stream samples through a board that runs this image, and compare every output byte with the oracle's.

    inputs, samples  as `measure` takes them

    Raises: BrokenRunError with what was measured when the board fails in the middle; DeviceError when it is not
    there; TinyEdgeError when it runs another image
    """
    built = build(choices, observer)
    return measure(built, observer, lambda: open_board(built.prepared.board, port), inputs, samples)
