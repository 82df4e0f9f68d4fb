"""The serial console over a pseudo terminal and over sockets, and what happens when the other side goes."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kits.fake_firmware import FakeFirmware, fake_layers
from tinyedge.console.serial import SerialConsole, find_port
from tinyedge.errors import DeviceError, UsageError
from tinyedge.measure.session import Session

pty = pytest.importorskip("pty", reason="this system has no pseudo terminals")
tty = pytest.importorskip("tty", reason="this system has no terminals")


class Board:
    """A fake firmware behind a pseudo terminal or a socket, in a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        self.firmware = FakeFirmware()
        self.descriptor = descriptor
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.descriptor, data) :]

    def _serve(self) -> None:
        try:
            while data := os.read(self.descriptor, 4096):
                self.send(self.firmware.receive(data))
        except OSError:
            return


def repeat(action: Callable[[], object]) -> None:
    """Do it again and again: a write after the end may go through once, until the system knows."""
    for _ in range(100):
        action()


@pytest.fixture
def terminal() -> Iterator[tuple[Board, str]]:
    master, slave = pty.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    board = Board(master)
    yield board, name
    os.close(slave)
    if board.descriptor >= 0:
        os.close(master)
    board.thread.join(timeout=2) if board.thread.ident else None


def test_a_session_over_a_terminal(terminal: tuple[Board, str]) -> None:
    board, name = terminal
    console = SerialConsole(name, 115_200)
    board.send(board.firmware.reset())
    board.thread.start()
    session = Session(console)
    assert session.wait_for_banner().model == "fake"
    for seed in range(5):
        data = bytes((seed * 31 + i) & 255 for i in range(150))
        assert session.infer([data]).outputs == (fake_layers([data])[1],)
    console.close()
    console.close()
    with pytest.raises(DeviceError):
        session.memory()


def test_lines_end_after_silence(terminal: tuple[Board, str]) -> None:
    board, name = terminal
    console = SerialConsole(name, 115_200)
    board.send(b"one\r\ntwo\nunfinished")
    start = time.monotonic()
    assert list(console.lines(0.2)) == [b"one", b"two"]
    assert 0.15 < time.monotonic() - start < 3
    console.close()


def test_an_endless_line_does_not_hang_the_reader(terminal: tuple[Board, str]) -> None:
    board, name = terminal
    console = SerialConsole(name, 115_200)
    stop = threading.Event()

    def flood() -> None:
        os.set_blocking(board.descriptor, False)
        while not stop.is_set():
            try:
                os.write(board.descriptor, b"A" * 512)
            except BlockingIOError:
                time.sleep(0.001)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        start = time.monotonic()
        assert list(console.lines(0.3)) == []
        assert time.monotonic() - start < 3
    finally:
        stop.set()
        thread.join()
        console.close()


def test_a_pulled_cable_is_an_error(terminal: tuple[Board, str]) -> None:
    board, name = terminal
    console = SerialConsole(name, 115_200)
    board.send(b"last words\n")
    lines = console.lines(2.0)
    assert next(lines) == b"last words"
    os.close(board.descriptor)
    board.descriptor = -1
    start = time.monotonic()
    with pytest.raises(DeviceError, match="lost the connection") as caught:
        list(lines)
    assert "cable" in caught.value.hint
    with pytest.raises(DeviceError, match="lost the connection"):
        repeat(lambda: console.write(b"x" * 100))
    assert time.monotonic() - start < 3
    console.close()


def test_a_port_opened_twice_is_refused(terminal: tuple[Board, str]) -> None:
    _, name = terminal
    console = SerialConsole(name, 115_200)
    with pytest.raises(DeviceError, match="cannot open") as caught:
        SerialConsole(name, 115_200)
    assert caught.value.hint
    console.close()


def test_a_missing_port_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="cannot open") as caught:
        SerialConsole(str(tmp_path / "ttyUSB7"), 115_200)
    assert "serial ports here" in caught.value.hint


@pytest.mark.parametrize("url", ["nonsense://x", "socket://localhost:notaport"])
def test_a_malformed_url_is_refused(url: str) -> None:
    with pytest.raises((UsageError, DeviceError), match=url) as caught:
        SerialConsole(url, 115_200)
    assert caught.value.hint


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


def test_a_session_over_a_socket_and_the_server_going_away(server: socket.socket) -> None:
    console = SerialConsole(f"socket://127.0.0.1:{server.getsockname()[1]}", 115_200)
    peer, _ = server.accept()
    board = Board(peer.fileno())
    board.send(board.firmware.reset())
    board.thread.start()
    session = Session(console)
    data = bytes(range(150))
    assert session.infer([data]).outputs == (fake_layers([data])[1],)
    peer.shutdown(socket.SHUT_RDWR)
    board.thread.join(timeout=2)
    peer.close()
    start = time.monotonic()
    with pytest.raises(DeviceError, match="lost the connection"):
        repeat(session.memory)
    assert time.monotonic() - start < 5
    console.close()


def test_a_refused_connection_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DeviceError, match="cannot open"):
        SerialConsole(f"socket://127.0.0.1:{port}", 115_200)


@dataclass
class Port:
    device: str
    vid: int | None
    pid: int | None


IDS = ((0x1366, 0x1015), (0x1366, 0x1051))
OTHER = Port("/dev/ttyS0", None, None)


def test_the_port_of_a_board_is_found_by_its_usb_ids() -> None:
    assert find_port("nrf", IDS, [OTHER, Port("/dev/ttyACM1", 0x1366, 0x1051)]) == "/dev/ttyACM1"


def test_two_candidates_are_listed() -> None:
    with pytest.raises(UsageError, match=r"2 ports could be board `nrf`: `/dev/ttyACM0`, `/dev/ttyACM1`") as caught:
        find_port("nrf", IDS, [Port("/dev/ttyACM1", *IDS[0]), Port("/dev/ttyACM0", *IDS[1])])
    assert caught.value.hint == "`--port /dev/ttyACM0`"


@pytest.mark.parametrize(("ports", "words"), [([], "none at all"), ([OTHER], "`/dev/ttyS0`")])
def test_no_candidate_says_which_ports_there_are(ports: list[Port], words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        find_port("nrf", IDS, ports)
