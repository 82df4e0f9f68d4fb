"""`tinyedge monitor`: what it shows, that it comes back, that Ctrl-C ends it, that no device can harm it."""

from __future__ import annotations

import contextlib
import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kits.cli import assert_refused, program, tinyedge
from kits.fake_firmware import FakeFirmware
from kits.terminal import Terminal
from tinyedge import wire
from tinyedge.cli.monitor import describe


class Monitor:
    """A running monitor, whose lines are read as they come."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            program("monitor", *arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._queues: dict[str, queue.Queue[str]] = {"stdout": queue.Queue(), "stderr": queue.Queue()}
        self._threads = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in self._queues]
        for thread in self._threads:
            thread.start()

    def _read(self, name: str) -> None:
        for line in getattr(self.process, name):
            self._queues[name].put(line.rstrip("\n"))

    def line(self) -> str:
        """The next line on stdout."""
        return self._queues["stdout"].get(timeout=30)

    def note(self) -> str:
        """The next line on stderr."""
        return self._queues["stderr"].get(timeout=30)

    def has_ended(self) -> str:
        """What it said at the end; empty while it runs."""
        if self.process.poll() is None:
            return ""
        lines = []
        with contextlib.suppress(queue.Empty):
            while True:
                lines.append(self._queues["stderr"].get(timeout=1))
        return f"exit code {self.process.returncode}: {lines}"

    def press_ctrl_c(self) -> int:
        """Its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(timeout=5)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "ttyTEST")
    yield terminal
    terminal.unplug()


@contextlib.contextmanager
def monitor(terminal: Terminal, *arguments: str) -> Iterator[Monitor]:
    running = Monitor(terminal.path.parent, "--port", str(terminal.path), *arguments)
    try:
        yield running
    finally:
        running.end()


BANNER = FakeFirmware().reset()


def test_text_reconnection_and_ctrl_c(terminal: Terminal) -> None:
    with monitor(terminal) as running:
        assert running.note() == f"connected: {terminal.path}, 115,200 baud; Ctrl-C ends"
        terminal.send(BANNER)
        assert running.line().startswith("hello protocol=2 model=fake board=host")
        terminal.send(b"plain text\r\n\n" + wire.encode_line("<", 7, "ok ticks=12"))
        assert running.line() == "plain text"
        assert running.line() == "reply: ok ticks=12"
        terminal.unplug()
        assert running.note().startswith(f"lost: lost the connection to `{terminal.path}`")
        terminal.plug_in()
        assert running.note().startswith("connected: ")
        terminal.send(wire.encode_line("#", 0, "fault pc=000004d2 lr=00000100 cfsr=00008200"))
        assert running.line() == "fault pc=000004d2 lr=00000100 cfsr=00008200"
        assert running.press_ctrl_c() == 130
        assert running._queues["stderr"].empty()


def test_json_lines(terminal: Terminal) -> None:
    with monitor(terminal, "--json", "--baud", "9600") as running:

        def event() -> dict[str, Any]:
            document: dict[str, Any] = json.loads(running.line())
            assert document.pop("schema") == "tinyedge.monitor/1"
            assert document.pop("seconds") >= 0
            return document

        assert event() == {"kind": "connected", "text": f"{terminal.path}, 9,600 baud; Ctrl-C ends"}
        terminal.send(BANNER + b"\xff\xfe\x1b[2J\n")
        hello = event()
        assert (hello["kind"], hello["record"]) == ("record", "hello")
        assert hello["fields"]["image"] == "0123456789abcdef"
        assert event() == {"kind": "noise", "text": "\\xff\\xfe\\x1b[2J"}
        terminal.unplug()
        assert event()["kind"] == "lost"
        assert running.press_ctrl_c() == 130


def test_an_endless_line_neither_hangs_nor_fills_it(terminal: Terminal) -> None:
    with monitor(terminal) as running:
        running.note()
        for _ in range(500):
            terminal.send(b"A" * 2000)
            assert not running.has_ended()
        terminal.send(b"\nafter\n")
        assert running.line() == "after"
        assert running.press_ctrl_c() == 130


def test_what_it_cannot_do_without(tmp_path: Path) -> None:
    assert_refused(tinyedge("monitor", cwd=tmp_path), 2, "which board", "--port")
    missing = tinyedge("monitor", "--port", str(tmp_path / "ttyX"), cwd=tmp_path)
    assert_refused(missing, 4, "cannot open", "serial ports here")
    assert_refused(tinyedge("monitor", "-b", "nano33ble", cwd=tmp_path), 4, "has no serial port of its own", "TX1")


def test_a_request_is_shown_as_one() -> None:
    line = wire.encode_line(">", 3, "run").strip()
    assert describe(line) == {"kind": "request", "text": "run", "number": 3}
