"""Which recording is for training, validation and test: a function of its group alone, decided before windows are cut.

A group is a subject, else a file with the copies of it. Its place is a hash of its name, as in Speech Commands: what
was in the test stays there when files are added. Only where that gives a class less than half, or more than one and a
half times, of the share that was asked for, the groups nearest to the border are moved.
"""

from __future__ import annotations

import fnmatch
import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinyedge.data.contract import PARTS, Recordings
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.tables import nearest

TEST, VALIDATION = 0.2, 0.1
"""shares where nobody says others"""


def assign_parts(recordings: Recordings, table: DataTable, groups: Sequence[str]) -> list[str]:
    """The part of each recording, a word of PARTS; `groups` has the group of each.

    Raises: UsageError when a group that the format or the user names is in two parts, a name means nothing, or a class
            would be missing from the training or the test
    """
    members: dict[str, list[int]] = defaultdict(list)
    for number, group in enumerate(groups):
        members[group].append(number)
    stated = _stated(recordings, members) if table.test is None else {}
    parts = dict.fromkeys(members, "train")
    for part, choice in (("test", table.test), ("validation", table.validation)):
        if isinstance(choice, tuple):
            for group in _named(recordings, groups, choice, part):
                if parts[group] != "train":
                    raise UsageError(
                        f"`{group}` is named for the {parts[group]} and for the {part}", hint="name it in one of them"
                    )
                parts[group] = part
        elif choice is None:
            for group, said in stated.items():
                if said == part and parts[group] == "train":
                    parts[group] = part
    _draw(recordings, table, members, parts)
    _require_classes(recordings, table.source, members, parts)
    return [parts[group] for group in groups]


def place(group: str, seed: int) -> float:
    """Where a group lies in [0, 1): a hash of its name.

    >>> round(place("anna", 1), 4) == round(place("anna", 1), 4) != round(place("anna", 2), 4)
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{group}".encode()).digest()[:6], "big") / 2**48


def _stated(recordings: Recordings, members: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """The part of each group that the format itself names. Raises: UsageError for a group in two of them."""
    found: dict[str, str] = {}
    for group, numbers in members.items():
        by_part = {recordings.part(number): recordings.sources[number] for number in numbers if recordings.part(number)}
        if len(by_part) > 1:
            (first, one), (second, other) = sorted(by_part.items(), key=lambda pair: PARTS.index(pair[0]))[:2]
            raise UsageError(
                f"`{group}` would be in {first} and in {second}: `{one}` and `{other}`",
                hint="all recordings of a subject, and all copies of a file, belong into one part: move them, or leave "
                "the split to tinyedge with `test = 0.2`",
            )
        found |= dict.fromkeys([group], next(iter(by_part), ""))
    return found


def _named(recordings: Recordings, groups: Sequence[str], names: Sequence[str], part: str) -> set[str]:
    """The groups that a list names: by themselves, by a file, a folder, or a pattern of them."""
    found: set[str] = set()
    for name in names:
        wanted = name.rstrip("/")
        matched = {
            group
            for group, source in zip(groups, recordings.sources, strict=True)
            if wanted in (group, source)
            or source.startswith(f"{wanted}/")
            or fnmatch.fnmatchcase(source, wanted)
            or fnmatch.fnmatchcase(group, wanted)
        }
        if not matched:
            known = sorted({*groups, *(source.partition("/")[0] for source in recordings.sources)})
            raise UsageError(
                f"`{part}` names `{name}`, and no group, file or folder is called so",
                hint=nearest(name, known) if len(known) <= 20 else nearest(name, known[:20]),
            )
        found |= matched
    return found


def _draw(
    recordings: Recordings, table: DataTable, members: Mapping[str, Sequence[int]], parts: dict[str, str]
) -> None:
    """Draw the parts that nobody named, class by class, of the groups that are left for the training."""
    shares = {}
    for part, choice, default in (("test", table.test, TEST), ("validation", table.validation, VALIDATION)):
        taken = part in parts.values()
        shares[part] = choice if isinstance(choice, int | float) else 0.0 if taken else default
    strata: dict[str, list[str]] = defaultdict(list)
    for group, numbers in members.items():
        if parts[group] == "train":
            classes = {recordings.class_of(number) for number in numbers}
            strata[classes.pop() if len(classes) == 1 else ""].append(group)
    for groups in strata.values():
        ordered = sorted(groups, key=lambda group: (place(group, table.seed), group))
        places = [place(group, table.seed) for group in ordered]
        start, border = 0, 0.0
        for part in ("test", "validation"):
            border += shares[part]
            count = _count(sum(at < border for at in places) - start, len(ordered), shares[part])
            count = max(0, min(count, len(ordered) - start - 1))
            for group in ordered[start : start + count]:
                parts[group] = part
            start += count
    if shares["test"] and not isinstance(table.test, tuple):
        _cover(recordings, table, members, parts)


def _count(natural: int, total: int, share: float) -> int:
    """How many of a stratum: as the hashes say, within half of the share.

    >>> _count(0, 10, 0.2), _count(2, 10, 0.2), _count(9, 10, 0.2), _count(3, 10, 0.0)
    (1, 2, 3, 0)
    """
    if not share:
        return 0
    low = max(1, math.ceil(share * total / 2))
    return min(max(natural, low), max(low, math.floor(1.5 * share * total)))


def _cover(
    recordings: Recordings, table: DataTable, members: Mapping[str, Sequence[int]], parts: dict[str, str]
) -> None:
    """Move the nearest group into the test for each class that no group of it has, where another stays to train on."""
    for name in recordings.classes:
        having = [group for group, numbers in members.items() if any(recordings.class_of(n) == name for n in numbers)]
        if len(having) < 2 or any(parts[group] == "test" for group in having):
            continue
        nearest_group = min(having, key=lambda group: (place(group, table.seed), group))
        parts[nearest_group] = "test"


def _require_classes(
    recordings: Recordings, source: Path, members: Mapping[str, Sequence[int]], parts: Mapping[str, str]
) -> None:
    """Raises: UsageError for a part without samples, one class, a class in one group, or missing where it is needed."""
    if recordings.classes:
        _require_files(recordings, members, source)
    for part in ("train", "test"):
        if part not in parts.values():
            raise UsageError(
                f"nothing is left for the {part}: there {'is' if len(members) == 1 else 'are'} "
                f"{len(members):,} group{'s' if len(members) > 1 else ''}",
                hint="more recordings or subjects; `test` and `validation` say which are whose",
            )
    there: dict[str, set[str]] = defaultdict(set)
    for group, numbers in members.items():
        there[parts[group]] |= {recordings.class_of(number) for number in numbers}
    for part in ("train", "test"):
        for name in recordings.classes:
            if name not in there[part]:
                raise UsageError(
                    f"class `{name}` is missing from the {part}",
                    hint="name other groups or files in `test` and `validation`, or leave the class out by `classes`",
                )


def _require_files(recordings: Recordings, members: Mapping[str, Sequence[int]], source: Path) -> None:
    """Raises: UsageError for a single class, and for a class that comes from one group."""
    if len(recordings.classes) == 1:
        raise UsageError(
            f"`{source}` has one class, `{recordings.classes[0]}`: nothing can be told apart",
            hint="a folder, a label or a file name for each of two classes or more",
        )
    having: dict[str, set[str]] = {name: set() for name in recordings.classes}
    for group, numbers in members.items():
        for number in numbers:
            having[recordings.class_of(number)].add(group)
    for name, groups in having.items():
        if not groups:
            raise UsageError(
                f"class `{name}` has no recording",
                hint=nearest(name, [known for known, found in having.items() if found]),
            )
        if len(groups) == 1:
            (only,) = groups
            told = f"all its recordings are of `{only}`"
            if only in recordings.sources:
                told = f"{'all its files are copies of' if len(members[only]) > 1 else 'its one file is'} `{only}`"
            raise UsageError(
                f"class `{name}` cannot be in the training and in the test: {told}",
                hint="at least 2 files, or 2 subjects where subjects are kept apart, for each class",
            )
