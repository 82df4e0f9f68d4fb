"""What a template of a project is, what it knows of the data, and what it proposes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Literal, Protocol

from tinyedge.boards import Board

Sort = Literal["motion", "sound", "images", "table"]


@dataclass(frozen=True)
class Found:
    """What there is to know of data before a network is chosen.

    sort      motion: axes over time; sound: one channel at thousands of samples a second; images; table: a row each
    shape     of a sample as it lies there; of what is cut into windows: the axes alone
    classes   in the order that the recipe has them; empty for targets that are values
    counts    recordings of each class
    is_named  whether the data itself names its classes; else they are numbers
    outputs   values of each target, where there are no classes
    lengths   shortest, middle and longest recording, in samples of time; None for what has no time
    is_cut    whether recordings can be cut into windows; else every one is a sample
    rate_hz   samples a second; None where nobody says
    table     what reading it needs, as keys of [data]
    group     what names the subject of a recording, as [data] takes it; empty where nothing was recognized
    subjects  how many it tells apart
    source    the folder or file, as the recipe names it
    """

    sort: Sort
    shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    is_named: bool = True
    outputs: int = 1
    lengths: tuple[int, int, int] | None = None
    is_cut: bool = True
    rate_hz: float | None = None
    table: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    subjects: int = 0
    source: str = "data"

    @property
    def axes(self) -> int:
        """Of what has time: values at each moment."""
        return self.shape[-1] if self.shape else 1

    @property
    def is_unequal(self) -> bool:
        """Whether the most frequent class has three times the recordings of the rarest."""
        return len(self.counts) > 1 and max(self.counts) >= 3 * min(self.counts)


@dataclass(frozen=True)
class Proposal:
    """The start of a project.

    values   of recipe.toml; `reasons` says by the whole name of a key why it has its value
    model    what the template of model.py is filled with
    facts    (name, text) of what was found and chosen, for people
    """

    summary: str
    values: Mapping[str, Any]
    reasons: Mapping[str, str]
    model: Mapping[str, Any]
    facts: Sequence[tuple[str, str]] = ()


class Template(Protocol):
    """One kind of project; each module of this room that is one states it as `TEMPLATE`."""

    @property
    def name(self) -> str:
        """As `--from` takes it, and the folder of its files in firmware_templates/new/."""
        ...

    @property
    def title(self) -> str:
        """What a project of it does, in one line."""
        ...

    @property
    def sort(self) -> Sort | None:
        """What data it is for; None for any."""
        ...

    @property
    def assumed(self) -> Found | None:
        """The data that it expects where there are none yet; None where it brings its own."""
        ...

    @property
    def layout(self) -> Sequence[tuple[str, str]]:
        """(file, what it is) of what has to be put into the data folder."""
        ...

    def propose(self, found: Found | None, board: Board) -> Proposal: ...

    def example(self) -> Mapping[PurePosixPath, bytes]:
        """A small made-up data set, files below the data folder; empty where the project brings its own data."""
        ...
