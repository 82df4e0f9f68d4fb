"""A data set as Edge Impulse exports it: `info.labels`, `training/` and `testing/`; or those folders without it.

Source: the uploader's info.labels, version 1: of each file its path, category (training, testing, split), label
        (unlabeled, label, multi-label with inclusive indices) and metadata. Without it the label is what stands before
        the first point of a file's name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tinyedge.data import acquisition, images, sounds
from tinyedge.data.classes import CSVS, IMAGES, PART_FOLDERS, SOUNDS, Entry, choose_classes, is_document
from tinyedge.data.contract import Recordings
from tinyedge.data.csv_file import read_csv
from tinyedge.data.files import list_files
from tinyedge.data.table import DataTable
from tinyedge.data.unequal import odd_one, odd_rate
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.tables import nearest

INFO = "info.labels"
_BOXES = "bounding_boxes.labels"
_MOST_BYTES = 1 << 28
_TIMED = (*acquisition.SUFFIXES, *CSVS)


@dataclass(frozen=True)
class _File:
    """One file of the set. runs: (first row, row behind the last, label) where labels change within it."""

    file: str
    label: str
    part: str
    runs: tuple[tuple[int, int, str], ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)


class _EdgeImpulse:
    title = "Edge Impulse's export"
    layout = "`info.labels`, `training/*`, `testing/*`: .json, .cbor, .csv, .wav or images"
    split = "`training/` and `testing/`, or the category in `info.labels`; `group` may be a key of its metadata"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        if path.is_file():
            return path.name == INFO
        return INFO in names or any(
            PurePosixPath(name).suffix.lower() in acquisition.SUFFIXES and acquisition.is_acquisition(path / name)
            for name in names
        )

    def read(self, path: Path, table: DataTable) -> Recordings:
        root = path.parent if path.is_file() else path
        files, left_out = _described(root) if (root / INFO).is_file() else (_by_name(root), 0)
        if not files:
            raise UsageError(f"`{path}` holds no file with a label", hint="label them, and export the set again")
        kinds = {_kind(each.file): each.file for each in files}
        if "" in kinds:
            raise UsageError(
                f"`{root / kinds['']}` is a stray file: the others are .json, .cbor, .csv, .wav or images",
                hint="move it away, or leave it out of the export",
            )
        if len(kinds) > 1:
            (first, one), (second, other) = sorted(kinds.items())[:2]
            raise UsageError(f"`{path}` mixes {first} and {second}: `{one}`, `{other}`", hint="a folder for each kind")
        notes = (f"{left_out:,} files without a label are left out",) if left_out else ()
        recordings = _read(root, next(iter(kinds)), files, table)
        return replace(recordings, notes=(*recordings.notes, *notes))


def _kind(file: str) -> str:
    suffix = PurePosixPath(file).suffix.lower()
    for kind, suffixes in (("values", _TIMED), ("sounds", SOUNDS), ("images", IMAGES)):
        if suffix in suffixes:
            return kind
    return ""


def _read(root: Path, kind: str, files: Sequence[_File], table: DataTable) -> Recordings:
    groups = [each.metadata.get(table.group, "") if table.group else "" for each in files]
    keys = tuple(sorted({key for each in files for key in each.metadata}))
    if table.group in keys and not all(groups):
        without = next(each.file for each, group in zip(files, groups, strict=True) if not group)
        raise UsageError(
            f"`{without}` has no `{table.group}` in its metadata", hint=f"set it for every file in `{INFO}`"
        )
    entries = [Entry(each.file, each.label, each.part) for each in files]
    if kind == "values":
        return _timed(root, files, groups, keys, table)
    if any(each.runs for each in files):
        raise UsageError(f"`{root}` has labels that change within a file of {kind}", hint="one label a file")
    if kind == "sounds":
        recordings = sounds.read_sounds(root, entries, table, groups if any(groups) else [])
    else:
        recordings = images.read_images(root, entries, table)
        by_file = dict(zip((each.file for each in files), groups, strict=True))
        recordings = replace(recordings, groups=[by_file[name] for name in recordings.sources] if any(groups) else [])
    return replace(recordings, columns=keys)


def _timed(
    root: Path, files: Sequence[_File], groups: Sequence[str], keys: tuple[str, ...], table: DataTable
) -> Recordings:
    """Samples of sensors; a file whose label changes is a recording for each run, all of one group."""
    values: list[Array] = []
    names: list[str] = []
    sources: list[str] = []
    subjects: list[str] = []
    parts: list[str] = []
    read = [_one(root / each.file, table) for each in files]
    _refuse_unequal(root, files, read, table)
    for each, group, found in zip(files, groups, read, strict=True):
        for start, stop, label in each.runs or ((0, len(found.values), each.label),):
            if not 0 <= start < stop <= len(found.values):
                raise UsageError(
                    f"`{root / INFO}`: `{each.file}` has labels from {start} to {stop - 1}, and "
                    f"{len(found.values):,} rows",
                    hint="export the set again",
                )
            values.append(found.values[start:stop])
            names.append(label)
            sources.append(f"{each.file}[{start}]" if each.runs else each.file)
            subjects.append(group or (each.file if each.runs else ""))
            parts.append(each.part)
    chosen = choose_classes(names, table)
    return Recordings(
        inputs={"values": [values[number] for number in chosen.numbers]},
        sources=[sources[number] for number in chosen.numbers],
        labels=chosen.labels,
        class_names=chosen.class_names,
        groups=[subjects[number] for number in chosen.numbers] if any(subjects) else [],
        parts=[parts[number] for number in chosen.numbers],
        is_timed=True,
        rate_hz=read[0].rate_hz,
        axes=read[0].axes,
        columns=keys,
        notes=chosen.notes,
    )


def _one(path: Path, table: DataTable) -> acquisition.Acquisition:
    if path.suffix.lower() in acquisition.SUFFIXES:
        return acquisition.read_acquisition(path)
    file = read_csv(path)
    axes = file.input_columns(table)
    rate_hz, _ = file.rate(table)
    return acquisition.Acquisition(file.numbers(axes).astype(np.float32), rate_hz or 0.0, axes)


def _refuse_unequal(
    root: Path, files: Sequence[_File], read: Sequence[acquisition.Acquisition], table: DataTable
) -> None:
    """Raises: UsageError with the file whose sensors, or rate, are not those of most others, or of the table."""
    if (odd := odd_one([found.axes for found in read])) is not None:
        wrong, usual = (", ".join(read[number].axes) for number in odd)
        raise UsageError(f"`{root / files[odd[0]].file}` has the sensors {wrong}; others have {usual}")
    rates = [found.rate_hz for found in read]
    odd = odd_rate([*rates, *[table.rate_hz] * (len(rates) + 1)] if table.rate_hz else rates)
    if odd is not None:
        wanted = table.rate_hz or rates[odd[1]]
        raise UsageError(
            f"`{root / files[odd[0]].file}` has {rates[odd[0]]:.4g} samples a second, not {wanted:.4g}",
            hint="all recordings have one rate; `rate_hz` in [data] says which",
        )


# -- which files, and what they are ----------------------------------------------------------------------------------


def _described(root: Path) -> tuple[list[_File], int]:
    """The files of info.labels that have a label, and how many have none."""
    path = root / INFO
    if path.stat().st_size > _MOST_BYTES:
        raise UsageError(f"`{path}` is too large to be a list of files")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"`{path}` is no JSON: {str(error).splitlines()[0]}", hint="export the set again") from error
    if not isinstance(document, dict) or document.get("version") != 1 or not isinstance(document.get("files"), list):
        raise UsageError(f"`{path}` is no list of files of version 1", hint="export the set again")
    found, left_out = [], 0
    for number, entry in enumerate(document["files"], 1):
        described = _entry(root, path, number, entry)
        if described is None:
            left_out += 1
        else:
            found.append(described)
    return found, left_out


def _entry(root: Path, path: Path, number: int, entry: Any) -> _File | None:
    """One file; None for one without a label."""
    where = f"`{path}`, file {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise UsageError(f"{where} has no path", hint="export the set again")
    pure = PurePosixPath(entry["path"])
    if pure.is_absolute() or ".." in pure.parts:
        raise UsageError(f"{where}: `{pure}` leads out of the folder; it was not read", hint="export the set again")
    if not (root / pure).is_file():
        raise UsageError(f"{where}: there is no `{pure}`", hint="export the set again, or take the entry out")
    if entry.get("boundingBoxes"):
        raise UsageError(f"{where} has boxes: objects in an image are not told apart here", hint="one label an image")
    category = entry.get("category", "split")
    if category not in (*PART_FOLDERS, "split"):
        raise UsageError(f"{where} has the category `{category}`", hint=nearest(str(category), ("training", "testing")))
    metadata = entry.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise UsageError(f"{where} has metadata that are no table", hint="export the set again")
    label, runs = _label(where, entry.get("label"))
    if not label and not runs:
        return None
    part = PART_FOLDERS.get(category, "")
    return _File(pure.as_posix(), label, part, runs, {str(key): str(value) for key, value in metadata.items()})


def _label(where: str, label: Any) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    if isinstance(label, str):
        return label, ()
    kind = label.get("type") if isinstance(label, dict) else None
    if kind == "unlabeled":
        return "", ()
    if kind == "label" and isinstance(label.get("label"), str):
        return label["label"], ()
    if kind == "multi-label" and isinstance(label.get("labels"), list):
        runs = []
        for each in label["labels"]:
            if not isinstance(each, dict) or not all(
                isinstance(each.get(key), int) for key in ("startIndex", "endIndex")
            ):
                raise UsageError(f"{where} has a label without its rows", hint="export the set again")
            runs.append((each["startIndex"], each["endIndex"] + 1, str(each.get("label", ""))))
        return "", tuple(runs)
    raise UsageError(f"{where} has a label of the kind `{kind}`", hint="label, multi-label and unlabeled are read")


def _by_name(root: Path) -> list[_File]:
    """The files of a set without info.labels."""
    found = []
    for file in list_files(root):
        pure = PurePosixPath(file)
        if is_document(file) or pure.name in (INFO, _BOXES):
            continue
        part = PART_FOLDERS.get(pure.parts[0].lower(), "") if len(pure.parts) > 1 else ""
        label = pure.name.partition(".")[0]
        if len(pure.parts) > (2 if part else 1):
            label = pure.parts[1 if part else 0]
        found.append(_File(file, label, part))
    return found


FORMAT = _EdgeImpulse()
