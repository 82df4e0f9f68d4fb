"""reshape, squeeze, expand_dims: the same bytes under another shape."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reshape:
    """Parameters: how many bytes there are to copy, if the planner cannot let input and output share memory."""

    bytes: int
