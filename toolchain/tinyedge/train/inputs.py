"""What a training read: every file and every folder that its Python code looked into, as they were at that moment.

The interpreter tells of each file that is opened and each folder that is listed (PEP 578). What belongs to the Python
installation is left out, because the versions of packages stand for it, and so are temporary files of the training.
Native code that opens a file by itself tells nobody, so every file of a folder that was listed counts as read.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import stat
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ABSENT = "absent"
_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share")
_BLOCK_BYTES = 1 << 20
_LISTING = ("os.listdir", "os.scandir")


_unrecorded = threading.local()


@contextlib.contextmanager
def unrecorded() -> Iterator[None]:
    """What this thread reads within the block does not count: tinyedge looks for itself, and not for the recipe."""
    before = getattr(_unrecorded, "now", False)
    _unrecorded.now = True
    try:
        yield
    finally:
        _unrecorded.now = before


class Recorder:
    """Records what this process reads from now on, for the rest of its life.

    recipe  the folder whose files count wherever it lies
    own     folders of tinyedge's own: what is read there does not count
    """

    def __init__(self, recipe: Path, own: Iterable[Path]) -> None:
        self._recipe = os.path.realpath(recipe)
        self._own = tuple(os.path.realpath(path) for path in own)
        self._installed = _installation()
        self._temporary = os.path.realpath(tempfile.gettempdir())
        self._seen: dict[str, str] = {}
        self._written: set[str] = set()
        self._lock = threading.RLock()
        self._busy = threading.local()

    def start(self) -> None:
        sys.addaudithook(self._heard)

    def inputs(self) -> dict[str, str]:
        """What was read: path -> digest; files inside the recipe's folder by their path there.

        Temporary files that are gone already are left out: they are made anew by every training.
        """
        with self._lock:
            found = dict(self._seen)
        return {
            _relative(path, self._recipe): state
            for path, state in sorted(found.items())
            if state == ABSENT or Path(path).exists() or not _is_below(path, self._temporary)
        }

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in ("open", "os.mkdir", *_LISTING) or getattr(self._busy, "now", False):
            return
        if getattr(_unrecorded, "now", False):
            return
        self._busy.now = True
        try:
            self._take(event, arguments)
        except Exception:  # a hook that raises would stop the recipe's code from reading
            with self._lock:
                self._seen.setdefault(str(arguments[0]), "unknown")
        finally:
            self._busy.now = False

    def _take(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _LISTING and "importlib" in sys._getframe(2).f_code.co_filename:
            return  # the search for a module: the file that it finds is opened after it
        name = "." if arguments[0] is None else arguments[0]
        if isinstance(name, int) or not isinstance(name, str | bytes | os.PathLike):
            return
        path = os.path.realpath(os.fsdecode(name))
        with self._lock:
            if event == "os.mkdir" or (event == "open" and _is_written(arguments)):
                self._written.add(path)
            else:
                path = _source_of(path)
                if path not in self._seen and self._counts(path):
                    self._seen[path] = state_of(Path(path))

    def _counts(self, path: str) -> bool:
        if _is_below(path, self._temporary) and any(str(each) in self._written for each in (path, *Path(path).parents)):
            return False
        if any(_is_below(path, own) for own in self._own if _is_below(own, self._recipe)):
            return False  # a build folder in the recipe's
        if _is_below(path, self._recipe):
            return True
        return not any(_is_below(path, root) for root in (*_SYSTEM, *self._installed, *self._own))


def are_unchanged(inputs: Mapping[str, str], recipe: Path) -> bool:
    """Whether everything that a training read is today as it was."""
    return all(state_of(recipe / path) == state for path, state in inputs.items())


def state_of(path: Path) -> str:
    """The digest of a file's contents, or of the names and contents of a folder's files; `absent` when there is none.

    What is neither (a pipe, a device) has no contents to come back to: its state is never the same twice.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return _file_digest(path)
        if not stat.S_ISDIR(mode):
            return f"unknown {os.urandom(8).hex()}"
        state = hashlib.sha256()
        for inner in sorted(path.iterdir()):
            if inner.name != "__pycache__":
                content = _file_digest(inner) if inner.is_file() else ""
                state.update(f"{len(inner.name)} {inner.name} {content}\n".encode("utf-8", "surrogateescape"))
        return state.hexdigest()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except OSError as error:
        return f"unreadable: {error.errno}"


def _file_digest(path: Path) -> str:
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            state.update(block)
    return state.hexdigest()


def _is_written(arguments: tuple[Any, ...]) -> bool:
    """Whether an `open` (path, mode, flags) is for writing alone or makes the file anew."""
    mode, flags = arguments[1], arguments[2]
    if isinstance(mode, str):
        return any(letter in mode for letter in "wx")
    return bool(flags & (os.O_TRUNC | os.O_EXCL) or flags & os.O_ACCMODE == os.O_WRONLY)


def _source_of(path: str) -> str:
    """The source of a compiled module, which shows the change that the compiled form does not; else the file itself."""
    try:
        return importlib.util.source_from_cache(path)
    except (ValueError, NotImplementedError):
        return path


def _installation() -> tuple[str, ...]:
    """The folders of Python and its packages."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib", "scripts")}
    folders |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}
    if sys.prefix != sys.base_prefix:
        folders.add(sys.prefix)
    return tuple(os.path.realpath(folder) for folder in folders if folder)


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _relative(path: str, folder: str) -> str:
    return os.path.relpath(path, folder) if _is_below(path, folder) else path
