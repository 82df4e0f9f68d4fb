"""Children that are alive, each with a process group of its own, and how they are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tinyedge.errors import MissingToolError, ToolError

_GRACE_S = 2.0
"""what a child gets between the request to end and the kill"""


class Children:
    """Children alive, so that none outlives tinyedge. Once cancelled, the scope accepts no new ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._cancelled = False

    def spawn(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._cancelled:
                raise ToolError(f"`{Path(argv[0]).name}` was not started: another command failed")
            with _interrupt_held():
                child = _popen(argv, **options)
                self._alive.add(child)
        return child

    def forget(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._alive.discard(child)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            alive = list(self._alive)
        for child in alive:
            signal_group(child, force=True)


@contextlib.contextmanager
def _interrupt_held() -> Iterator[None]:
    """A Ctrl-C within the block takes effect at its end: a child half-started would be nobody's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    old = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
    if pressed:
        raise KeyboardInterrupt


def _popen(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    name = Path(argv[0]).name
    try:
        return subprocess.Popen(list(argv), **options)
    except FileNotFoundError as error:
        if options.get("cwd") and not Path(options["cwd"]).is_dir():
            raise ToolError(f"`{name}` cannot be started: the folder {options['cwd']} does not exist") from error
        raise MissingToolError(f"`{name}` is not installed, or not on PATH") from error
    except OSError as error:
        raise ToolError(f"`{name}` cannot be started: {error.strerror or error}") from error


def signal_group(child: subprocess.Popen[bytes], *, force: bool) -> None:
    """Ask the child and all it started to end, or kill them."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            child.kill() if force else child.terminate()
        else:
            os.killpg(child.pid, signal.SIGKILL if force else signal.SIGTERM)


def end(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole group and reap the child. A second Ctrl-C meanwhile kills at once."""
    try:
        signal_group(child, force=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)
    finally:
        signal_group(child, force=True)
        child.wait()
