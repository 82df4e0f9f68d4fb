"""Finds boards/ and its siblings, in a checkout and in an installed wheel; writes files whole.

What is written for a while only (`.part` files, folders of scratch) carries its owner in its name, so that whoever
comes after a `kill -9` can tell it from what another process is at work on, and sweeps it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tinyedge.errors import InternalError, UsageError
from tinyedge.systems import user_id

_PACKAGE = Path(__file__).resolve().parent


@functools.cache
def data_root() -> Path:
    """The folder that holds boards/ and its siblings: the wheel's `_data`, else the checkout."""
    for root in (_PACKAGE / "_data", _PACKAGE.parent.parent):
        if (root / "boards").is_dir() and (root / "firmware_templates").is_dir():
            return root
    raise InternalError(
        f"the data folders of tinyedge are missing beside {_PACKAGE}",
        hint="install tinyedge-toolchain again with pip, or run it from a complete checkout",
    )


def checkout() -> Path | None:
    """The checkout that tinyedge runs from; None when it was installed from a wheel."""
    root = data_root()
    return root if (root / "pyproject.toml").is_file() else None


def boards_dir() -> Path:
    return data_root() / "boards"


def models_dir() -> Path:
    return data_root() / "models"


def templates_dir() -> Path:
    return data_root() / "firmware_templates"


def renode_dir() -> Path:
    return data_root() / "renode"


def cache_dir() -> Path:
    """Where compiled helpers and compiler caches live, shared by all projects of the user.

    Raises: UsageError for a user without a home, who names no place
    """
    if chosen := os.environ.get("TINYEDGE_CACHE"):
        return Path(chosen)
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():  # its specification says that others are to be ignored
        return named / "tinyedge"
    try:
        return Path.home() / ".cache" / "tinyedge"
    except RuntimeError as error:
        raise UsageError(
            "there is no place for the cache: HOME is not set, and the user has no home folder",
            hint="set TINYEDGE_CACHE to a folder that you alone can write",
        ) from error


def partial_of(path: Path) -> Path:
    """A name beside `path` that nobody else takes, for what is to replace it once it is whole."""
    return path.with_name(f"{path.name}.{owner_token()}.part")


@contextlib.contextmanager
def scratch_folder(what: str, within: Path | None = None) -> Iterator[Path]:
    """A folder for temporary files, gone at the end; what others left behind when they were killed goes first."""
    parent = Path(within or tempfile.gettempdir())
    sweep(parent)
    folder = parent / f"tinyedge-{what}-{owner_token()}.tmp"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_OWNED = re.compile(
    r"\.(?P<where>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{12}\.part$|"
    r"^tinyedge-.*-(?P<there>[0-9a-f]{8})-(?P<other>[0-9]+)-[0-9a-f]{12}\.tmp$"
)
_FORGOTTEN_S = 86_400.0
"""after so long nobody is at work any more on what an unknown machine left"""


def owner_token() -> str:
    """Part of a file's name that says which process it belongs to: where it runs, its number, and a lot."""
    return f"{_process_space()}-{os.getpid()}-{secrets.token_hex(6)}"


@functools.cache
def _process_space() -> str:
    """Names the system (and the container) within which process numbers mean something."""
    parts = [platform.node()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


_swept: set[Path] = set()


def sweep(folder: Path) -> None:
    """Remove temporary files in `folder` whose owner was killed; once in the life of a process for each folder."""
    folder = folder.absolute()
    if folder in _swept:
        return
    _swept.add(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if (match := _OWNED.search(entry.name)) and _is_orphan(entry, match):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)
                else:
                    Path(entry.path).unlink(missing_ok=True)


def sweep_temporary() -> None:
    """Do that in the folder for temporary files, if there is one."""
    with contextlib.suppress(OSError):
        sweep(Path(tempfile.gettempdir()))


def is_abandoned(path: Path) -> bool:
    """Whether a file made by the name of `partial_of` is this user's, and whoever wrote it was killed."""
    match = _OWNED.search(path.name)
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        return match is not None and any(entry.name == path.name and _is_orphan(entry, match) for entry in entries)
    return False


def _is_orphan(entry: os.DirEntry[str], match: re.Match[str]) -> bool:
    """Whether a temporary file is this user's, and nobody is at work on it."""
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    if user_id() not in (None, found.st_uid):
        return False
    if (match["where"] or match["there"]) != _process_space() or os.name != "posix":
        return time.time() - found.st_mtime > _FORGOTTEN_S
    return not _is_alive(int(match["process"] or match["other"]))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Within the block another file stands for `path`, which it replaces at the end unless the block fails.

    Makes the folder. Raises: OSError that names `path`, with what stood there before left in place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent)
    partial = partial_of(path)
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.filename == os.fspath(partial):
            error.filename, error.filename2 = os.fspath(path), None
        raise
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever finds a part of it: after Ctrl-C, a full disk, or beside another call.

    Makes the folder. Raises: OSError, with what stood there before left in place.
    """
    with whole(path) as partial:
        partial.write_bytes(content)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a new folder with these files, by their paths in it with `/`, so that nobody ever finds a part of it.

    An empty folder that is there gives way. Raises: OSError, with nothing left
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    partial = partial_of(folder)
    try:
        for name, content in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_changed(path: Path, content: bytes) -> None:
    """The same, but a file that already holds the content is left alone: tools that look at times see no change."""
    sweep(path.parent)
    with contextlib.suppress(OSError):
        if path.read_bytes() == content:
            return
    write_whole(path, content)
