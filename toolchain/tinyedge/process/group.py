"""Children that are alive, each with a process group of its own, and how they are ended."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyedge.errors import MissingToolError, ToolError
from tinyedge.systems import interrupts_held, new_group, signal_group

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
            with interrupts_held():  # a child half-started would be nobody's
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


def _popen(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    name = Path(argv[0]).name
    try:
        return subprocess.Popen(list(argv), **options, **new_group())
    except FileNotFoundError as error:
        if options.get("cwd") and not Path(options["cwd"]).is_dir():
            raise ToolError(f"`{name}` cannot be started: the folder {options['cwd']} does not exist") from error
        raise MissingToolError(f"`{name}` is not installed, or not on PATH") from error
    except OSError as error:
        raise ToolError(f"`{name}` cannot be started: {error.strerror or error}") from error


def end(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole group and reap the child. A second Ctrl-C meanwhile kills at once."""
    try:
        signal_group(child, force=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)
    finally:
        signal_group(child, force=True)
        child.wait()
