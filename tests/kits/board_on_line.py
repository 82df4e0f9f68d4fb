"""A board for tests: a firmware that runs in an emulator, or in Python, behind a pseudo terminal or a socket."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from tinyedge.artifacts import Image
from tinyedge.boards import load_board
from tinyedge.build.elf import read_elf
from tinyedge.build.size import size_of
from tinyedge.emulate import emulator
from tinyedge.errors import DeviceError


class Firmware(Protocol):
    """What sits behind the line."""

    def receive(self, data: bytes) -> bytes:
        """What it sends back."""
        ...


class EmulatedFirmware:
    """An image in the embedded emulator."""

    def __init__(self, elf: Path, board_name: str) -> None:
        board = load_board(board_name)
        image = Image(elf, None, None, None, size_of(read_elf(elf), board), "", "", "")
        self._console = emulator("unicorn", board).start(image, board)

    def receive(self, data: bytes) -> bytes:
        """The lines that answer these bytes; with none, what it says of itself after reset."""
        if data:
            self._console.write(data)
        sent = b""
        with contextlib.suppress(DeviceError):
            for line in self._console.lines(0.02 if data else 5.0):
                sent += line + b"\n"
                if not data and line:
                    break
        return sent

    def close(self) -> None:
        """End the emulator."""
        self._console.close()


class Line:
    """Moves bytes between a firmware and a descriptor, in a thread of its own, until it is cut."""

    def __init__(self, firmware: Firmware, descriptor: int) -> None:
        self._firmware = firmware
        self._descriptor = descriptor
        self._cut = threading.Event()
        self.received = 0
        """bytes that came from the host"""
        self.silent = False
        """the firmware hangs: what comes is read, and never answered"""
        self.on_bytes: Callable[[Line], None] = lambda line: None
        """called whenever bytes came"""
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Send bytes to the host."""
        while data and not self._cut.is_set():
            data = data[os.write(self._descriptor, data) :]

    def cut(self) -> None:
        """Pull the cable: the descriptor is closed by `finish`, or by whoever opened it."""
        self._cut.set()

    def finish(self) -> None:
        """Stop, and wait for the thread."""
        self._cut.set()
        if self._thread.ident and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self._cut.is_set():
                ready, _, _ = select.select([self._descriptor], [], [], 0.05)
                if not ready:
                    continue
                data = os.read(self._descriptor, 4096)
                if not data:
                    break
                self.received += len(data)
                self.on_bytes(self)
                if not self.silent and not self._cut.is_set():
                    self.send(self._firmware.receive(data))
        if self._cut.is_set():
            with contextlib.suppress(OSError):
                os.close(self._descriptor)


@contextlib.contextmanager
def on_terminal(firmware: Firmware) -> Iterator[tuple[str, Line]]:
    """(device, line) of a firmware behind a pseudo terminal."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    os.set_blocking(master, True)
    line = Line(firmware, master)
    line.start()
    try:
        yield name, line
    finally:
        line.finish()
        for descriptor in (slave, master):
            with contextlib.suppress(OSError):
                os.close(descriptor)


@contextlib.contextmanager
def on_socket(firmware: Firmware) -> Iterator[tuple[str, Callable[[], Line]]]:
    """(URL, waits for the host and gives the line) of a firmware behind a TCP socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        lines: list[Line] = []

        def accept() -> Line:
            connection, _ = listener.accept()
            line = Line(firmware, connection.detach())
            lines.append(line)
            line.start()
            return line

        yield f"socket://127.0.0.1:{listener.getsockname()[1]}", accept
        for line in lines:
            line.finish()
