"""Whether processes live, and programs that stand in for others."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def is_running(pid: int) -> bool:
    """Whether the process lives; one that ended but was not reaped by its foster parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


def processes_with(mark: str, but: int = 0) -> Iterator[tuple[int, str]]:
    """(process id, command line) of those with `mark`, a NAME=VALUE, in their environment, which is handed on."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0") and int(folder.name) != but:
                yield int(folder.name), (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue


def wait_until(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def make_program(folder: Path, name: str, script: str) -> Path:
    """A shell script that can be executed as `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
