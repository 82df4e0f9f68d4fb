"""The files below a path: listed with limits, digested by path and content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from tinyedge.errors import UsageError

MOST_FILES = 1_000_000
_BLOCK_BYTES = 1 << 20


def list_files(path: Path) -> list[str]:
    """Every file below a folder by its relative path with `/`, sorted.

    What is hidden, or a part of a file that is being written, is left out. Links to folders are followed, each once.

    Raises: UsageError when there are more than a million, a folder cannot be read, or something is a link to nothing,
            a pipe or a device
    """
    found: list[str] = []
    seen: set[str] = set()

    def refuse(error: OSError) -> None:
        raise UsageError(f"`{error.filename}` cannot be read: {error.strerror or error}")

    for folder, folders, names in os.walk(path, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        inside = Path(folder).relative_to(path)
        for name in names:
            if _is_hidden(name):
                continue
            if not (file := Path(folder, name)).is_file():
                what = "a link to nothing" if file.is_symlink() else "a pipe or a device"
                raise UsageError(f"`{file}` is {what}, no file", hint="remove it, or put the file there")
            found.append((inside / name).as_posix())
        if len(found) > MOST_FILES:
            raise UsageError(f"`{path}` holds more than {MOST_FILES:,} files", hint="give a folder of fewer files")
    return sorted(found)


def _is_hidden(name: str) -> bool:
    return (
        name.startswith(".")
        or name.endswith(".part")
        or name in ("__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini")
    )


def source_digest(path: Path) -> str:
    """Of every file of a source: relative paths and contents, not times. `absent` when there is nothing.

    Raises: UsageError when a file cannot be read
    """
    if not path.exists():
        return "absent"
    state = hashlib.sha256()
    for name, file in _named(path):
        inner = hashlib.sha256()
        try:
            with file.open("rb") as stream:
                while block := stream.read(_BLOCK_BYTES):
                    inner.update(block)
        except OSError as error:
            raise UsageError(f"`{file}` cannot be read: {error.strerror or error}") from error
        state.update(f"{len(name)} {name} {inner.hexdigest()}\n".encode("utf-8", "surrogateescape"))
    return state.hexdigest()


def _named(path: Path) -> Iterator[tuple[str, Path]]:
    if path.is_dir():
        for name in list_files(path):
            if (path / name).is_file():
                yield name, path / name
    elif path.is_file():
        yield path.name, path
