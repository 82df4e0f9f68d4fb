"""A board that QEMU emulates: a gdb server on one port, the console on another, nothing in its flash."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tinyedge.flash import flasher

BOARD = "mps2_an386"


@dataclass
class QemuBoard:
    """Where it is."""

    gdb: str
    console: str
    process: subprocess.Popen[bytes]


def need_gdb_and_qemu() -> None:
    """Skip where one of them is missing."""
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("no QEMU: apt-get install qemu-system-arm")
    if not flasher("gdb").available().version:
        pytest.skip("no gdb for Arm: apt-get install gdb-multiarch")


def free_port() -> int:
    """A port nobody listens at right now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def qemu_board(folder: Path) -> Iterator[QemuBoard]:
    """An MPS2 with AN386, halted before its first instruction; ends with the block."""
    gdb, console = free_port(), free_port()
    command = ["qemu-system-arm", "-machine", "mps2-an386", "-nographic", "-monitor", "none", "-S"]
    command += ["-gdb", f"tcp:127.0.0.1:{gdb}", "-serial", f"tcp:127.0.0.1:{console},server=on,wait=off"]
    with (folder / "qemu.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            _wait_until_open(console, process)
            yield QemuBoard(f"127.0.0.1:{gdb}", f"socket://127.0.0.1:{console}", process)
        finally:
            process.kill()
            process.wait()


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """QEMU opens the gdb server first."""
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "QEMU ended"
            assert time.monotonic() < deadline, "QEMU opened no port"
            time.sleep(0.05)
        else:
            return
