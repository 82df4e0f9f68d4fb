"""The group of each recording, what must not be in two parts, and what is the same twice."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError

_TOLD = 3
"""files that a note names"""


def groups_of(recordings: Recordings, table: DataTable, contents: Sequence[str]) -> list[str]:
    """The group of each recording: its subject, as `group` of the table or the format says; else its file. Copies of a
    file are one group.

    contents  of each recording, as `content_digests` gives it

    Raises: UsageError when the regular expression does not match a path
    """
    if table.group and table.group not in recordings.columns:
        pattern = re.compile(table.group)
        return [_subject(pattern, source) for source in recordings.sources]
    known = recordings.groups or [""] * recordings.count
    as_stated = table.test is None  # copies that were put into two parts are told, not moved
    same = [(content, recordings.part(number) if as_stated else "") for number, content in enumerate(contents)]
    first: dict[tuple[str, str], str] = {}
    for source, key in zip(recordings.sources, same, strict=True):
        first[key] = min(first.get(key, source), source)
    return [group or first[key] for group, key in zip(known, same, strict=True)]


def _subject(pattern: re.Pattern[str], source: str) -> str:
    found = pattern.search(source)
    if found is None:
        raise UsageError(
            f"`group` does not match `{source}`: the expression is `{pattern.pattern}`",
            hint="it is searched in the path relative to the source; its first pair of brackets is the subject",
        )
    return str(found[1] if pattern.groups and found[1] is not None else found[0])


def content_digests(recordings: Recordings) -> list[str]:
    """Of the values of each recording."""
    found = []
    for number in range(recordings.count):
        state = hashlib.sha256()
        for values in recordings.inputs.values():
            value = np.ascontiguousarray(values[number])
            state.update(f"{value.dtype} {value.shape} ".encode())
            state.update(value.tobytes())
        found.append(state.hexdigest())
    return found


def duplicate_notes(recordings: Recordings, contents: Sequence[str], parts: Sequence[str]) -> list[str]:
    """Warnings: the same content in two parts, and under two classes."""
    same: Mapping[str, list[int]] = defaultdict(list)
    for number, content in enumerate(contents):
        same[content].append(number)
    repeated = [numbers for numbers in same.values() if len(numbers) > 1]
    across = [numbers for numbers in repeated if len({parts[number] for number in numbers}) > 1]
    notes = []
    if across:
        notes.append(
            f"{len(across):,} recording{'s are' if len(across) > 1 else ' is'} the same in two parts, value for value: "
            f"{_told(recordings, across)}; the test is easier than new data"
        )
    two = [numbers for numbers in repeated if len({recordings.class_of(number) for number in numbers}) > 1]
    if two:
        notes.append(
            f"{len(two):,} recording{'s are' if len(two) > 1 else ' is'} the same under two classes: "
            f"{_told(recordings, two)}"
        )
    return notes


def _told(recordings: Recordings, sets: Sequence[Sequence[int]]) -> str:
    names = [" and ".join(f"`{recordings.sources[number]}`" for number in numbers[:2]) for numbers in sets[:_TOLD]]
    return "; ".join(names) + ("; ..." if len(sets) > _TOLD else "")
