"""The console of a child process, with children that behave badly."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Callable, Iterator

import pytest

from kits.processes import is_running, wait_until
from tinyedge import process
from tinyedge.console.buffer import QUEUED_PIECES
from tinyedge.console.process import ProcessConsole
from tinyedge.errors import DeviceError

Open = Callable[[str], ProcessConsole]


@pytest.fixture
def open_console() -> Iterator[Open]:
    """Starts a Python program as the firmware."""
    consoles: list[ProcessConsole] = []

    def start(code: str) -> ProcessConsole:
        console = ProcessConsole(process.start([sys.executable, "-u", "-c", textwrap.dedent(code)]))
        consoles.append(console)
        return console

    yield start
    for console in consoles:
        console.close()


ECHO = """
import sys
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(b"<" + line)
    sys.stdout.buffer.flush()
"""


def test_lines_answer_what_was_written(open_console: Open) -> None:
    console = open_console(ECHO)
    for text in (b"one\n", b"two\r\n"):
        console.write(text)
        assert next(console.lines(20)) == b"<" + text.strip()


def test_silence_ends_the_lines_in_time(open_console: Open) -> None:
    console = open_console(ECHO)
    started = time.monotonic()
    assert list(console.lines(0.2)) == []
    assert 0.2 <= time.monotonic() - started < 5
    console.write(b"still here\n")
    assert next(console.lines(20)) == b"<still here"


def test_half_a_line_is_no_line(open_console: Open) -> None:
    console = open_console("import sys; sys.stdout.write('whole\\nhalf'); sys.stdin.read()")
    assert next(console.lines(20)) == b"whole"
    assert list(console.lines(0.1)) == []


def test_an_overlong_line_is_dropped(open_console: Open) -> None:
    console = open_console("import sys; print('x' * 100_000); print('next'); sys.stdin.read()")
    assert next(console.lines(20)) == b"next"


def test_an_endless_line_takes_no_memory_and_no_time(open_console: Open) -> None:
    console = open_console("import os\nwhile True: os.write(1, b'x' * 65536)")
    started = time.monotonic()
    assert list(console.lines(0.3)) == []
    assert time.monotonic() - started < 5
    assert console._pieces._pieces.maxsize == QUEUED_PIECES


def test_the_end_comes_after_the_last_lines(open_console: Open) -> None:
    console = open_console(
        "import sys; print('last'); sys.stdout.write('cut'); sys.stderr.write('why\\n'); sys.exit(3)"
    )
    lines = console.lines(20)
    assert next(lines) == b"last"
    with pytest.raises(DeviceError) as caught:
        next(lines)
    name = console.child.name
    assert str(caught.value) == f"`{name}` ended with exit code 3\n       | cut\n       | why"
    assert caught.value.exit_code == 4
    with pytest.raises(DeviceError, match="ended with exit code 3"):
        next(console.lines(20))


def test_a_crash_is_named(open_console: Open) -> None:
    console = open_console("import os; os.abort()")
    with pytest.raises(DeviceError, match="was ended by SIGABRT"):
        list(console.lines(20))


def test_only_the_end_of_a_long_complaint_is_kept(open_console: Open) -> None:
    console = open_console("import sys; [print('line', i, file=sys.stderr) for i in range(100_000)]; sys.exit(1)")
    with pytest.raises(DeviceError) as caught:
        list(console.lines(20))
    text = str(caught.value)
    assert text.endswith("| line 99999")
    assert len(text) < 1000


def test_a_child_that_closes_its_output_is_gone(open_console: Open) -> None:
    console = open_console("import os, time; os.close(1); time.sleep(60)")
    with pytest.raises(DeviceError, match="closed its output"):
        list(console.lines(20))


def test_writing_to_a_child_that_ended(open_console: Open) -> None:
    console = open_console("raise SystemExit(2)")
    assert console.child.wait(20) == 2
    with pytest.raises(DeviceError, match="ended with exit code 2"):
        console.write(b"hello\n")


def test_a_child_that_does_not_read(open_console: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyedge.console.process._WRITE_TIMEOUT_S", 0.3)
    console = open_console("import time; time.sleep(60)")
    with pytest.raises(DeviceError, match=r"took no input for 0\.3 s"):
        console.write(b"x" * 1_000_000)


def test_close_ends_the_child_and_can_be_repeated(open_console: Open) -> None:
    console = open_console("while True: print('busy')")
    assert next(console.lines(20)) == b"busy"
    pid = console.child.pid
    console.close()
    console.close()
    assert wait_until(lambda: not is_running(pid))
    assert console.child.stdout.closed
    with pytest.raises(DeviceError, match="is closed"):
        console.write(b"x")
    with pytest.raises(DeviceError, match="is closed"):
        list(console.lines(0.1))
