"""A look at data: what it is of, how long, how many, and who; whatever format it lies in."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.data import DataTable, class_numbers, load_recordings
from tinyedge.data.contract import Recordings
from tinyedge.errors import UsageError
from tinyedge.new.contract import Found, Sort

_SOUND_HZ = 4000
"""from this rate on, one channel over time is a sound"""
_MOST_AXES = 16
"""of samples [time, axes]; an image has more columns"""
_TRIES: tuple[dict[str, Any], ...] = ({}, {"size": (32, 32)}, {"mono": True})
"""what may help where a folder cannot be read as it lies: images of several sizes, sounds of two channels"""
_NAMED = re.compile(r"^(?P<subject>.*?[A-Za-z].*?)(?P<gap>[-._])(?P<take>[0-9]+)(?P<suffix>\.[A-Za-z0-9]+)$")
"""`anna_01.wav`: a subject and a take"""


def look_at(data: Path, source: str, table: DataTable | None = None) -> Found:
    """What there is to know of the data at a path; `source` is what the recipe will call it.

    table  what is known already: the column of labels, the rate

    Raises: UsageError when it cannot be read, holds a single class, or is nothing that can be told apart
    """
    recordings, table = _read(data, table or DataTable(source=data))
    recordings = _understood(recordings)
    _require_groups(recordings, data)
    if len(recordings.inputs) > 1:
        raise UsageError(
            f"`{data}` has several inputs: {', '.join(f'`{name}`' for name in recordings.inputs)}",
            hint="`--from blank` starts a project; write its model.py for several inputs, and name the data in [data]",
        )
    classes, counts = _classes(recordings, data)
    sort = _sort(recordings)
    lengths = None
    if sort in ("motion", "sound"):
        ordered = sorted(len(each) for each in _first(recordings))
        lengths = (ordered[0], ordered[len(ordered) // 2], ordered[-1])
    group, subjects = _subjects(recordings)
    labels = recordings.labels
    return Found(
        sort,
        _shape(recordings, timed=sort in ("motion", "sound")),
        classes,
        counts,
        is_named=bool(recordings.class_names),
        outputs=1 if labels is None else int(np.prod(labels.shape[1:])),
        lengths=lengths,
        is_cut=recordings.is_timed,
        rate_hz=None if recordings.rate_hz is None else round(recordings.rate_hz, 3),
        table=_needed(table, recordings, sort),
        group=group,
        subjects=subjects,
        source=source,
    )


def _read(data: Path, table: DataTable) -> tuple[Recordings, DataTable]:
    """The recordings, and the table that they were read by. Raises: UsageError of the plainest way."""
    first: UsageError | None = None
    for more in _TRIES:
        tried = replace(table, source=data, **more)
        try:
            return load_recordings(tried), tried
        except UsageError as error:
            first = first or error
    assert first is not None
    raise first


def _understood(recordings: Recordings) -> Recordings:
    """The recordings, with labels as a person means them: one-hot rows and whole numbers as floats are classes, whole
    numbers of which there are very many are values."""
    labels = recordings.labels
    if labels is None or labels.dtype.kind not in "iubf":
        return recordings
    if recordings.class_names:
        try:
            values = np.array([float(name) for name in recordings.class_names])[labels]
        except ValueError:
            return recordings
        is_values = class_numbers(values) is None
        return replace(recordings, labels=values, class_names=()) if is_values else recordings
    numbers = class_numbers(labels)
    return replace(recordings, labels=labels.astype(np.float64) if numbers is None else numbers)


def _first(recordings: Recordings) -> Sequence[Any]:
    values: Any = next(iter(recordings.inputs.values()))
    first: Sequence[Any] = values
    return first


def _sort(recordings: Recordings) -> Sort:
    """What samples are, by their extents where no rate and no names of axes say it."""
    values = _first(recordings)
    sample = np.asarray(values[0])
    is_known = recordings.rate_hz is not None or bool(recordings.axes) or not isinstance(values, np.ndarray)
    if sample.ndim == 3:
        return "images"
    if sample.ndim == 2:
        few = sample.shape[1] <= _MOST_AXES < sample.shape[0]
        return "motion" if few or (recordings.is_timed and is_known) else "images"
    if recordings.is_timed and is_known:
        return "sound" if (recordings.rate_hz or 0) >= _SOUND_HZ else "motion"
    return "table"


def _shape(recordings: Recordings, *, timed: bool) -> tuple[int, ...]:
    """Of a sample; behind the time of what has one. A motion has axes, if it is one alone."""
    shape = np.asarray(_first(recordings)[0]).shape
    if timed:
        return shape[1:]
    return (*shape, 1) if len(shape) == 2 else shape


def _require_groups(recordings: Recordings, data: Path) -> None:
    """Raises: UsageError for recordings of one file or subject, of which nothing could be kept for the test."""
    groups = {recordings.group(number) for number in range(recordings.count)}
    if len(groups) == 1 and recordings.count > 1 and not any(recordings.parts):
        (only,) = groups
        hint = "recordings of 2 files or 2 subjects at least, for each class"
        if data.is_dir() and (data / only).is_file():
            hint += f"; where its rows are samples of their own: `--data {data / only}`"
        raise UsageError(f"all recordings in `{data}` are of `{only}`: none could be kept for the test", hint=hint)


def _classes(recordings: Recordings, data: Path) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """(names, recordings of each); nothing for targets. Raises: UsageError for what is no task."""
    if recordings.labels is None:
        raise UsageError(
            f"`{data}` has samples and nothing that says what they are",
            hint="a folder for each class, named after it; or a column or an array of labels",
        )
    classes = recordings.classes
    if not classes:
        return (), ()
    found = Counter(recordings.class_of(number) for number in range(recordings.count))
    names = tuple(name for name in classes if found[name])
    if len(names) < 2:
        raise UsageError(
            f"`{data}` has one class, `{names[0]}`: there is nothing to tell it from",
            hint="add a folder with recordings of something else; to learn what is normal: `--from anomaly`",
        )
    return names, tuple(found[name] for name in names)


def _needed(table: DataTable, recordings: Recordings, sort: Sort) -> dict[str, Any]:
    """The keys of [data] without which it could not be read again, as TOML has them."""
    values: dict[str, Any] = {}
    if table.size is not None:
        values["size"] = list(table.size)
    if table.mono:
        values["mono"] = True
    if table.labels:
        values["labels"] = table.labels
    if sort == "sound":
        values["rate_hz"] = recordings.rate_hz
    return values


def _subjects(recordings: Recordings) -> tuple[str, int]:
    """(a pattern of names that tells subjects apart, how many); nothing where the format knows them, or none is seen.

    Names that end in a number behind `.`, `_` or `-` begin with a subject, where the same beginnings come back in
    several classes and with several numbers.
    """
    if any(recordings.groups):
        return "", len(set(recordings.groups))
    by_class: dict[str, set[str]] = defaultdict(set)
    takes: Counter[str] = Counter()
    shapes = set()
    for number, source in enumerate(recordings.sources):
        name = source.rsplit("/", 1)[-1]
        matched = _NAMED.match(name)
        if matched is None:
            return "", 0
        by_class[recordings.class_of(number)].add(matched["subject"])
        takes[matched["subject"]] += 1
        shapes.add((matched["gap"], matched["suffix"].lower()))
    everywhere = set.intersection(*by_class.values()) if by_class else set()
    if len(by_class) < 2 or len(everywhere) < 2 or len(takes) > len(everywhere) * 2 or len(shapes) > 2:
        return "", 0
    gaps = sorted({gap for gap, _ in shapes})
    gap = re.escape(gaps[0]) if len(gaps) == 1 else f"[{''.join(gaps)}]"
    return rf"([^/]+){gap}[0-9]+\.[A-Za-z0-9]+$", len(takes)


def relative_source(data: Path, project: Path) -> str:
    """How a recipe in the folder `project` calls data elsewhere: relative where both lie on one drive."""
    try:
        return Path(os.path.relpath(data.resolve(), project.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return data.resolve().as_posix()
