"""average_pool_2d and max_pool_2d: int8, input and output share scale and zero point."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.ops.window import Window


@dataclass(frozen=True)
class Pool2D:
    """Parameters of one pooling; padding cells are not counted by the average."""

    window: Window
    channels: int
    activation_min: int
    activation_max: int
