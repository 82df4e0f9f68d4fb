"""From a path to samples and labels, whatever format they lie in, and to parts that share no recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from tinyedge.data.classes import is_document
from tinyedge.data.contract import PARTS, Arrays, Format, Parts, Recordings, class_weights
from tinyedge.data.files import list_files, source_digest
from tinyedge.data.groups import content_digests, duplicate_notes, groups_of
from tinyedge.data.split import assign_parts
from tinyedge.data.table import DataTable
from tinyedge.data.targets import as_classes, as_values
from tinyedge.data.windows import cut
from tinyedge.discovery import collect
from tinyedge.errors import InternalError, UsageError
from tinyedge.tables import TableError, read_table, read_toml

_HEAD_BYTES = 512
_USERS = ("load", "fit")
"""modules of this folder that look formats up"""
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_ARCHIVES = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
"""how gzip, 7-Zip, RAR, bzip2, xz and Zstandard begin"""
HINT = "give a .npz with `x` and `labels`, a .npy of samples, or a folder of .npy; docs/data.md shows every format"
_UNEQUAL = 3.0
"""how many times as often the most frequent class may be there as the rarest, before it is said"""


@cache
def formats() -> tuple[Format, ...]:
    """Every format, the special ones first."""
    return tuple(sorted(collect("tinyedge.data", "FORMAT", skip=_USERS), key=lambda each: bool(each.is_general)))


def load_data(path: Path, table: DataTable | None = None) -> Arrays:
    """The samples and labels that a path holds, told by its content: those of its test where the format itself has one.

    An array called `labels` (or label, y, y_test, targets) has the labels of the first output; every other one is an
    input.

    Raises: UsageError when there is nothing, it is of no format known here, damaged, empty, or of several lengths
    """
    chosen = DataTable(source=path) if table is None else replace(table, source=path)
    if path.suffix == ".toml" and path.is_file():
        chosen = read_data_table(path)
    recordings = load_recordings(chosen)
    groups = [recordings.group(number) for number in range(recordings.count)]
    numbers = [number for number in range(recordings.count) if recordings.part(number) == "test"]
    return cut(recordings, numbers or range(recordings.count), chosen, groups, source_digest(chosen.source))


def read_data_table(path: Path) -> DataTable:
    """The table [data] of a TOML file, a recipe's too, or a file that is nothing but such a table; its `source` is
    relative to the file.

    Raises: UsageError for what breaks a rule
    """
    try:
        document = read_toml(path)
        table = read_table(DataTable, document.get("data", document), "data" if "data" in document else "")
    except TableError as error:
        raise UsageError(f"`{path}`: {error}", hint="docs/data.md shows every key of [data]") from None
    return replace(table, source=path.parent / table.source)


def load_recordings(table: DataTable, folder: Path = Path()) -> Recordings:
    """What `source` holds, uncut and not split; a relative one is relative to `folder`.

    Raises: UsageError as the format says it
    """
    path = folder / table.source
    return _checked(format_of(path, table.classes).read(path, table), path)


def load_parts(table: DataTable, folder: Path = Path(), *, are_values: bool = False) -> Parts:
    """Training, validation and test of `source`, which share no recording, no copy of one and no subject.

    are_values  whether labels are values that a regression learns, whatever the format takes them for

    Raises: UsageError as `load_recordings` does, and when a class would be missing from a part
    """
    recordings = load_recordings(table, folder)
    recordings = as_values(recordings, str(table.source)) if are_values else as_classes(recordings)
    contents = content_digests(recordings)
    groups = groups_of(recordings, table, contents)
    parts = assign_parts(recordings, table, groups)
    digest = source_digest(folder / table.source)
    cut_out = {}
    for name in PARTS:
        numbers = [number for number, part in enumerate(parts) if part == name]
        cut_out[name] = cut(recordings, numbers, table, groups, digest) if numbers else None
    train, test = cut_out["train"], cut_out["test"]
    assert train is not None
    assert test is not None
    notes = (
        *recordings.notes,
        *_rows_note(recordings, table),
        *duplicate_notes(recordings, contents, parts),
        *_imbalance(train),
    )
    try:
        return Parts(train, cut_out["validation"], test, digest, notes)
    except ValueError as error:
        raise InternalError(f"the split of `{table.source}` leaks: {error}") from error


def format_of(path: Path, classes: Sequence[str] = ()) -> Format:
    """The format of a path. Raises: UsageError when there is nothing, or nothing known."""
    if not path.exists():
        raise UsageError(f"there is no data `{path}`", hint=HINT)
    head = b""
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
        if not head:
            raise UsageError(f"`{path}` is empty", hint="copy or record it again")
    names = list_files(path) if path.is_dir() else []
    found = next((each for each in formats() if each.recognizes(path, head, names)), None)
    if found is not None:
        return found
    if head.startswith(_PICKLES):
        raise UsageError(
            f"`{path}` is a pickle, which runs what is in it when it is loaded; it was not read", hint=HINT
        )
    if head.startswith(_ARCHIVES) or path.suffix.lower() in (".tar", ".gz", ".zip"):
        raise UsageError(f"`{path}` is an archive, which is not unpacked", hint="unpack it, and name the folder")
    if path.is_dir() and all(is_document(name) for name in names):
        raise UsageError(f"`{path}` holds no data yet: it is empty", hint=_folders_hint(path, classes))
    known = ", ".join(sorted((each.title for each in formats()), key=lambda title: ".np" not in title))
    raise UsageError(f"`{path}` holds no data that tinyedge reads: {known}", hint=HINT)


def _folders_hint(path: Path, classes: Sequence[str]) -> str:
    """What to put where, in a folder without data."""
    if not classes:
        return "a folder for each class, with its recordings; docs/data.md shows every format"
    folders = ", ".join(f"`{path / name}`" for name in classes if not name.startswith("_"))
    return f"put the recordings of each class into its folder: {folders}"


def _checked(recordings: Recordings, path: Path) -> Recordings:
    """Raises: UsageError for what is empty, of several lengths, or not finite."""
    if not recordings.count:
        raise UsageError(f"`{path}` holds no recording", hint=HINT)
    for name, values in recordings.inputs.items():
        if len(values) != recordings.count:
            raise InternalError(f"`{name}` of `{path}` has {len(values)} of {recordings.count} recordings")
        if isinstance(values, np.ndarray) and (values.dtype.kind != "f" or np.isfinite(values).all()):
            continue
        for number in range(recordings.count):
            value = np.asarray(values[number])
            if value.size == 0:
                raise UsageError(f"`{recordings.sources[number]}` of `{path}` is empty", hint="leave the file out")
            if value.dtype.kind == "f" and not (right := np.isfinite(value)).all():
                at = [int(index) for index in np.argwhere(~right)[0]]
                raise UsageError(
                    f"`{name}` of `{path}` holds values that are not finite: `{recordings.sources[number]}` has "
                    f"{value[tuple(at)]} at {at}",
                    hint="leave those samples out",
                )
    return recordings


def _rows_note(recordings: Recordings, table: DataTable) -> list[str]:
    """The warning that rows of an array may belong together, where nobody says whether they do."""
    drawn = not isinstance(table.test, tuple) and (table.test is not None or "test" not in recordings.parts)
    rows = all(source.endswith("]") for source in recordings.sources)
    if not (drawn and rows and recordings.is_timed) or recordings.groups or table.group:
        return []
    return [
        f"each row of `{table.source.name}` is taken for a recording of its own: if several are windows of one, an "
        "array `groups` with its name keeps them in one part"
    ]


def _imbalance(train: Arrays) -> list[str]:
    """The warning that classes are not equally frequent, with what would make up for it."""
    if train.labels is None or not train.class_names:
        return []
    counts = np.bincount(train.labels, minlength=len(train.class_names))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] < _UNEQUAL * counts[least]:
        return []
    weights = class_weights(train.labels)
    return [
        f"the classes are unequal: `{train.class_names[most]}` has {counts[most]:,} training samples, "
        f'`{train.class_names[least]}` {counts[least]:,}; `class_weights = "balanced"` in [fit] makes them count the '
        f"same (here {min(weights.values()):.2g} to {max(weights.values()):.2g})"
    ]
