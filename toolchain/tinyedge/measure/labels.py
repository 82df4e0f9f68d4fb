"""What is to be heard in a recording, and how what was heard compares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyedge.errors import UsageError
from tinyedge.tables import nearest

_FIELDS = re.compile(r"\s*[\t,;]\s*")
_MOST_BYTES = 1 << 24


@dataclass(frozen=True)
class Label:
    """From `start_s` to `end_s` the recording holds `name`."""

    start_s: float
    end_s: float
    name: str


@dataclass(frozen=True)
class Verdict:
    """Detections against labels.

    hits           of each detection, whether a label of its name is there
    missed         labels that nothing was heard of
    expected       labels that could be heard
    """

    hits: tuple[bool, ...]
    missed: tuple[Label, ...]
    expected: int

    @property
    def false_accepts(self) -> int:
        return self.hits.count(False)


def read_labels(path: Path, names: Sequence[str]) -> tuple[Label, ...]:
    """Lines of start, end (in seconds) and name, with tabs, commas or semicolons, as Audacity writes them.

    names  that labels may have; empty: any

    Raises: UsageError with the line that cannot be read
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"`{path}` is too large for a file of labels", hint="a line for each label")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the labels `{path}` cannot be read: {error}", hint="lines of `start,end,name`") from error
    labels = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(("#", "\\")):
            continue
        cells = _FIELDS.split(line.strip())
        try:
            start, end, name = float(cells[0]), float(cells[1]), cells[2]
        except (ValueError, IndexError):
            if number == 1:
                continue  # names of columns
            raise UsageError(
                f"`{path}`, line {number}: `{line.strip()[:60]}` is no label", hint="start and end in s, and a name"
            ) from None
        if not 0 <= start <= end < float("inf"):
            raise UsageError(f"`{path}`, line {number}: a label from {start:g} s to {end:g} s", hint="start, then end")
        if names and name not in names:
            raise UsageError(f"`{path}`, line {number}: the model has no class `{name}`", hint=nearest(name, names))
        labels.append(Label(start, end, name))
    if not labels:
        raise UsageError(f"`{path}` has no labels", hint="lines of `start,end,name`, in seconds")
    return tuple(labels)


def compare(
    detections: Sequence[tuple[float, str]], labels: Sequence[Label], heard: Sequence[str], late_s: float
) -> Verdict:
    """Which detections are right, and which labels were missed.

    detections  (time in s, name)
    heard       names that can be detected: labels of others are background
    late_s      how long after its end a label may still be detected: windows and averages come late

    >>> compare([(1.2, "yes"), (5.0, "yes")], [Label(0.5, 1, "yes"), Label(8, 9, "yes")], ["yes"], 0.5).hits
    (True, False)
    """

    def covers(label: Label, time_s: float, name: str) -> bool:
        return label.name == name and label.start_s <= time_s <= label.end_s + late_s

    wanted = [label for label in labels if label.name in heard]
    hits = tuple(any(covers(label, *detection) for label in wanted) for detection in detections)
    missed = tuple(label for label in wanted if not any(covers(label, *detection) for detection in detections))
    return Verdict(hits, missed, len(wanted))
