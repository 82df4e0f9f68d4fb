"""Results kept on disk, checked when they are read: a damaged entry is made again, never used.

An entry is one file: the contents, then a last line with the digest of the entry's key and contents (behind them, so
that other programs read an object or an archive as what it is). Whatever a disk, a full partition or another program
did to it, `get` gives what was put there, or None.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from tinyedge.digests import digest
from tinyedge.errors import UsageError
from tinyedge.paths import sweep, write_whole
from tinyedge.systems import user_id

_SEAL = b"tinyedge entry 1 "
_HINT = "set TINYEDGE_CACHE to a folder that you alone can write"


@dataclass(frozen=True)
class Store:
    """The entries in one folder. A key names everything its contents were made of and made with."""

    folder: Path
    suffix: str = ""

    def path(self, key: str) -> Path:
        return self.folder / f"{key}{self.suffix}"

    def get(self, key: str) -> bytes | None:
        """The contents that were put under `key`; None when there are none, or they are damaged."""
        sweep(self.folder)
        path = self.path(key)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        contents, _, seal = data.rpartition(b"\n")
        if seal != _seal(key, contents):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used now: `trim` takes it last
        return contents

    def put(self, key: str, contents: bytes) -> None:
        """Keep `contents`. Raises: OSError."""
        write_whole(self.path(key), contents + b"\n" + _seal(key, contents))

    def trim(self, most: int) -> None:
        """Forget the least recently used half when there are more than `most`. Another process may do the same now."""
        aged = []
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                aged.append((path.stat().st_mtime_ns, path))
        if len(aged) > most:
            for _, path in sorted(aged)[: len(aged) - most // 2]:
                path.unlink(missing_ok=True)


def _seal(key: str, contents: bytes) -> bytes:
    return _SEAL + digest(key, contents).encode()


def user_store(folder: Path, suffix: str = "") -> Store:
    """A store in the user's cache, which all projects share; what it holds is run, so nobody else may write there.

    Raises: UsageError when the folder cannot be made or is not the user's alone
    """
    folder = folder.absolute()
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
        for path in (folder, folder.parent):
            _check_ours(path.stat(), path)
    except OSError as error:
        raise UsageError(
            f"the cache folder {folder} cannot be made: {error.strerror or error}",
            hint="set TINYEDGE_CACHE to a folder that can be written",
        ) from error
    return Store(folder, suffix)


def _check_ours(found: os.stat_result, path: Path) -> None:
    """Raises: UsageError when others may put files into a folder, or exchange those in it."""
    if user_id() is None:
        return  # a profile's folders are the user's own there
    if found.st_uid not in (user_id(), 0):
        raise UsageError(
            f"the cache folder {path} belongs to another user, so its contents cannot be trusted", hint=_HINT
        )
    open_to_others = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
    if open_to_others:
        raise UsageError(
            f"the cache folder {path} can be written by others (mode {stat.S_IMODE(found.st_mode):o}), so its contents "
            "cannot be trusted",
            hint=f"`chmod go-w {path}`, or {_HINT}",
        )
