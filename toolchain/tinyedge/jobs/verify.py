"""A board that was flashed, verified and measured over its serial line."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from tinyedge.artifacts import Measured, Observer
from tinyedge.jobs.board import open_board
from tinyedge.jobs.build import build_each
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.data import data_given
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
    return next(iter(verify_each(choices, observer, port=port, inputs=inputs, samples=samples)))


def verify_each(
    choices: Choices,
    observer: Observer,
    *,
    port: str | None = None,
    inputs: str | None = None,
    samples: int | None = None,
) -> Iterator[Measured]:
    """The same for each of the models of the firmware, one after the other."""
    for built, chosen in zip(build_each(choices, observer), choices.of_each_model(), strict=True):
        start = functools.partial(open_board, built.prepared.board, port)
        yield measure(built, observer, start, inputs, samples, data_given(chosen))
