"""Folders as classes: which file is of which class and part, and which classes are read."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from tinyedge.data.files import list_files
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.tables import nearest

UNKNOWN, SILENCE = "_unknown_", "_silence_"
SOUNDS = (".wav", ".wave")
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm", ".pnm", ".gif", ".tif", ".tiff", ".webp")
CSVS = (".csv", ".tsv")
_KINDS: tuple[tuple[str, ...], ...] = (CSVS, IMAGES, SOUNDS)
PART_FOLDERS = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
}
"""names of folders that say which part lies in them"""
_DOCUMENTS = ("readme", "license", "licence", "copying")


@dataclass(frozen=True)
class Entry:
    """One file of a folder.

    file   relative to the folder that was given
    name   its class; empty where it lies beside the folders of classes
    part   where a folder is called so
    """

    file: str
    name: str = ""
    part: str = ""


def has_most(names: Sequence[str], suffixes: Collection[str]) -> bool:
    """Whether more files of a folder have one of these ends than those of another kind of data."""
    ends = Counter(PurePosixPath(name).suffix.lower() for name in names)
    counts = {kind: sum(ends[end] for end in kind) for kind in _KINDS}
    return counts[tuple(suffixes)] == max(counts.values()) > 0


def is_document(name: str) -> bool:
    """Whether a file only tells about the others."""
    pure = PurePosixPath(name.lower())
    return pure.suffix == ".md" or pure.stem.startswith(_DOCUMENTS)


def class_entries(path: Path, suffixes: Collection[str], what: str) -> list[Entry]:
    """The files of a folder: `class/file`, also `train/class/file`, with whatever folders lie between; or all without
    a class.

    Raises: UsageError for a file of another kind, for one beside the folders of classes, and for an empty folder
    """
    found = []
    for file in list_files(path):
        if is_document(file):
            continue
        if PurePosixPath(file).suffix.lower() not in suffixes:
            raise UsageError(
                f"`{path / file}` is a stray file: the others are {what}", hint="move it away; a README may stay"
            )
        folders = PurePosixPath(file).parts[:-1]
        part = PART_FOLDERS.get(folders[0].lower(), "") if folders else ""
        inner = folders[1:] if part else folders
        found.append(Entry(file, inner[0] if inner else "", part))
    _refuse_mixed(path, found)
    for folder in _folders(path):
        if not any(PurePosixPath(entry.file).is_relative_to(folder) for entry in found):
            raise UsageError(f"`{path / folder}` is empty: it is a class without a file", hint="fill it, or remove it")
    return found


def _refuse_mixed(path: Path, entries: Sequence[Entry]) -> None:
    """Raises: UsageError for files beside folders of classes, and for files outside of train/ and test/."""
    for kind, told in (("name", "the folders of classes"), ("part", "the folders of training and test")):
        without = [entry for entry in entries if not getattr(entry, kind)]
        if without and len(without) < len(entries):
            raise UsageError(
                f"`{path / without[0].file}` is a stray file: it lies beside {told}",
                hint="move it into one of them, or away",
            )


def _folders(path: Path) -> list[str]:
    """The folders of classes, relative."""
    found = []
    for first in sorted(child for child in path.iterdir() if child.is_dir() and not child.name.startswith((".", "_"))):
        if first.name.lower() in PART_FOLDERS:
            found += [f"{first.name}/{child.name}" for child in sorted(first.iterdir()) if child.is_dir()]
        else:
            found.append(first.name)
    return found


@dataclass(frozen=True, eq=False)
class Chosen:
    """The recordings that are kept of all, and their classes. labels: [N] numbers of `class_names`; None without."""

    numbers: tuple[int, ...]
    labels: Array | None
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def choose_classes(names: Sequence[str], table: DataTable, parts: Sequence[str] = ()) -> Chosen:
    """The recordings of the classes that the table names, in its order; all of them, sorted, where it names none.

    names  the class of each recording; empty for what has none
    parts  of each, where the format says it

    Where `_unknown_` is listed, it is made of the other classes: as many of them as the largest class has, by a hash,
    in each part.

    Raises: UsageError for a class that does not exist
    """
    if not any(names):
        if table.classes:
            raise UsageError(f"`{table.source}` has no classes, and `classes` names some", hint="leave `classes` out")
        return Chosen(tuple(range(len(names))), None, ())
    known = sorted(set(names), key=_natural)
    wanted = table.classes or tuple(known)
    for name in wanted:
        if name not in known and name != UNKNOWN:
            raise UsageError(
                f"class `{name}` is missing from `{table.source}`: there is no recording of it",
                hint=f"`{table.source / name}` if it is a folder; {nearest(name, known)}",
            )
    index = {name: number for number, name in enumerate(wanted)}
    others = [number for number, name in enumerate(names) if name not in index]
    notes: tuple[str, ...] = ()
    if UNKNOWN in index and UNKNOWN not in known:
        if not others:
            raise UsageError(f"`{UNKNOWN}` is listed, and no other class is left for it", hint="leave it out")
        listed = [number for number, name in enumerate(names) if name in index]
        drawn = _drawn(names, listed, others, table.seed, parts or [""] * len(names))
        notes = (
            f"`{UNKNOWN}` has {len(drawn):,} of {len(others):,} recordings of other classes, as many as the largest",
        )
    else:
        drawn = []
    chosen = set(drawn)
    numbers = tuple(number for number, name in enumerate(names) if name in index or number in chosen)
    labels = np.array([index.get(names[number], index.get(UNKNOWN, 0)) for number in numbers], np.int64)
    return Chosen(numbers, labels, wanted, notes)


def _drawn(
    names: Sequence[str], listed: Sequence[int], others: Sequence[int], seed: int, parts: Sequence[str]
) -> list[int]:
    """Of `others`, in each part as many as the largest class of `listed` has there, by a hash of their numbers."""
    ordered = sorted(others, key=lambda number: hashlib.sha256(f"{seed}/{number}".encode()).digest())
    found: list[int] = []
    for part in dict.fromkeys(parts):
        most = max(Counter(names[number] for number in listed if parts[number] == part).values(), default=0)
        found += [number for number in ordered if parts[number] == part][:most]
    return found


def _natural(name: str) -> tuple[int, float, str]:
    """Numbers by their size, before words."""
    try:
        return (0, float(name), name)
    except ValueError:
        return (1, 0.0, name)
