"""Which techniques may follow which: one that would undo an earlier one's work is refused before training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from tinyedge.train.compress.contract import Changes, Technique

_ORDER: tuple[Changes, ...] = get_args(Changes)
_LOST: dict[Changes, str] = {
    "structure": "",
    "zeros": "the weights that follow are new, and the zeros would be lost",
    "values": "the weights would no longer be of few values",
    "ranges": "it must be the last technique, as what follows would undo its rounding",
}
"""why a technique that changes what comes earlier in the order cannot follow one of these"""
_ONCE: dict[Changes, str] = {
    "values": "both decide which values weights may have",
    "ranges": "both decide the ranges of activations",
}
"""why one technique of these leaves no room for another"""

_ONE_ANSWER = ("distill", "graft", "adapt")
"""techniques that take a network with one answer"""


def check_order(techniques: Sequence[Technique]) -> None:
    """Raises: ValueError for the first technique that is in the wrong place, with the reason."""
    for index, technique in enumerate(techniques):
        for earlier in techniques[:index]:
            if earlier.name == technique.name:
                raise ValueError(f"`{technique.name}` is applied twice")
            both = f"`{technique.name}` follows `{earlier.name}`"
            if earlier.name == "early_exit" and technique.name in _ONE_ANSWER:
                raise ValueError(f"{both}: the network has two answers then; put `{technique.name}` before it")
            if _ORDER.index(technique.changes) < _ORDER.index(earlier.changes):
                raise ValueError(f"{both}: {_LOST[earlier.changes]}; put `{technique.name}` before it")
            if technique.changes == earlier.changes and technique.changes in _ONCE:
                raise ValueError(f"{both}: {_ONCE[technique.changes]}; keep one of them")
