"""Which front a path belongs to, told by its content."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path

from tinyedge.convert.contract import Front
from tinyedge.discovery import collect
from tinyedge.errors import InternalError, UsageError

_USERS = ("source", "worker", "child", "conversion", "api")
"""modules of this folder that look fronts up"""
HEAD_BYTES = 4096
DATA_PAGE = "docs/bring-your-own.md shows how"
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_ZIP = b"PK\x03\x04"
SAVED_MODEL = "saved_model.pb"
EXPORTED = ("archive_format", "serialized_exported_program.json")
"""members of a zip archive that torch.export.save writes"""
_TORCH_PICKLE = "data.pkl"
"""the member of a zip archive that torch.save writes"""
_SUFFIXES = (".keras", ".h5", ".hdf5", ".pt2")
"""ends of names that promise a content which can be told"""
_NO_PICKLE = (
    "in your own script load it, and return the model: `tinyedge convert script.py:build`; or save it with "
    "torch.export.save as a .pt2"
)


@cache
def fronts() -> dict[str, Front]:
    """Every front by its title."""
    return {front.title: front for front in collect("tinyedge.convert", "FRONT", skip=_USERS)}


def front_called(title: str) -> Front:
    found = fronts().get(title)
    if found is None:
        raise InternalError(f"there is no front `{title}`")
    return found


def refuse(path: Path) -> None:
    """Refuse what is a model, but none that tinyedge can take; nothing of it is loaded.

    Raises: UsageError for pickles, which run what is in them, for graphs of TensorFlow without their weights, and for
            files that are not what the end of their name says
    """
    if not path.is_file():
        return
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith(_PICKLES) or (head.startswith(_ZIP) and _is_torch_pickle(path)):
        raise UsageError(
            f"`{path}` is a pickle, as torch.save writes: loading one runs what is in it, so it was not read",
            hint=_NO_PICKLE,
        )
    if path.suffix == ".pb" and (path.parent / SAVED_MODEL).is_file():
        raise UsageError(f"`{path}` is part of a SavedModel", hint=f"give its folder: `{path.parent}`")

    suffix = path.suffix.lower()
    if suffix in _SUFFIXES and head[4:8] != b"TFL3" and recognize(path) is None:
        raise UsageError(
            f"`{path}` holds nothing that a {suffix} holds: it is damaged, cut short, or another file",
            hint="export, copy or download it again",
        )


def _is_torch_pickle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return False
    exported = any(name.rsplit("/", 1)[-1] in EXPORTED for name in names)
    return not exported and any(name.rsplit("/", 1)[-1] == _TORCH_PICKLE for name in names)


def recognize(path: Path) -> Front | None:
    """The front of the world a path comes from; None for what no front knows. Raises: OSError."""
    head = b""
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    return next((front for front in fronts().values() if front.recognizes(path, head)), None)
