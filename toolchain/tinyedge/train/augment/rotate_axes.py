"""Rotate axes: the vectors of a motion sensor are turned, as if it were worn a little otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, check_channels


@dataclass(frozen=True)
class RotateAxes:
    """Turns the vectors of each sample about three axes, by angles of its own; all vectors of a sample alike."""

    name: ClassVar[str] = "rotate_axes"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = False

    deviation_rad: float
    """standard deviation of each of the three angles, in rad"""
    vectors: tuple[int, ...] = (0,)
    """first of the three neighbouring channels of each vector: [0, 3] for acceleration and rotation of six axes"""

    def __post_init__(self) -> None:
        require_range("deviation_rad", self.deviation_rad, 1e-6, 7)

    def check(self, shape: tuple[int, ...]) -> None:
        check_channels([channel + 2 for channel in self.vectors], shape)
        check_channels(self.vectors, shape)

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        matrices = rotations(random.normal(0, self.deviation_rad, (len(samples), 3))).astype(np.float32)
        turned = samples.copy()
        for first in self.vectors:
            part = slice(first, first + 3)
            turned[..., part] = np.einsum("n...i,nij->n...j", samples[..., part], matrices)
        return turned


def rotations(angles: Array) -> Array:
    """Matrices that turn about x, then y, then z.

    Shape:  angles [N, 3] in rad -> [N, 3, 3]

    >>> np.round(np.array([1.0, 0.0, 0.0]) @ rotations(np.array([[0.0, 0.0, np.pi / 2]]))[0], 6).tolist()
    [0.0, -1.0, 0.0]
    """
    cosine, sine = np.cos(angles), np.sin(angles)
    whole = np.broadcast_to(np.eye(3), (len(angles), 3, 3))
    for axis in range(3):
        one, two = (other for other in range(3) if other != axis)
        turn = np.broadcast_to(np.eye(3), (len(angles), 3, 3)).copy()
        turn[:, one, one] = turn[:, two, two] = cosine[:, axis]
        sign = -1 if axis != 1 else 1
        turn[:, one, two], turn[:, two, one] = sign * sine[:, axis], -sign * sine[:, axis]
        whole = whole @ turn
    return whole


TECHNIQUE = RotateAxes
