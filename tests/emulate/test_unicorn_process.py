"""The worker is a process of its own: it comes up, it ends, and it leaves nothing behind, whatever happens."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.m4_program import UART, board, build
from kits.processes import is_running, wait_until
from tinyedge import process
from tinyedge.artifacts import Image
from tinyedge.emulate.unicorn import helper
from tinyedge.emulate.unicorn.host import UnicornConsole, UnicornEmulator
from tinyedge.errors import DeviceError

Start = Callable[..., UnicornConsole]
Program = Callable[[str], Image]

SPIN = UART + "void reset(void) { uart_start(); put('s'); put('\\n'); for (;;) {} }"
ECHO = UART + "void reset(void) { uart_start(); for (;;) { int c = get(); if (c >= 0) put((char)c); } }"

HOST = """
import sys
from pathlib import Path
from tinyedge.artifacts import Image, SizeTable
from tinyedge.boards import load_board
from tinyedge.emulate import emulator

image = Image(Path(sys.argv[1]), None, None, None, SizeTable(0, 0, 0, 0, (), ()), "", "", "")
console = emulator("unicorn").start(image, load_board("nrf52840dk"))
next(console.lines(30))
print(console._child.pid, flush=True)
for line in console.lines(60):
    pass
"""


def test_close_ends_the_worker_and_may_be_called_twice(start: Start) -> None:
    console = start(SPIN)
    assert next(console.lines(10.0)) == b"s"
    pid = console._child.pid
    assert is_running(pid)
    console.close()
    console.close()
    assert not is_running(pid)
    with pytest.raises(DeviceError, match="closed"):
        console.write(b"x")
    with pytest.raises(DeviceError, match="closed"):
        next(console.lines(0.1))


def test_a_hung_firmware_is_the_callers_time_out_and_answers_for_itself(start: Start) -> None:
    console = start(SPIN)
    assert list(console.lines(0.3)) == [b"s"]
    first = console.statistics()
    limit = time.monotonic() + 30
    while (second := console.statistics())["instructions"] == first["instructions"] and time.monotonic() < limit:
        time.sleep(0.01)  # the worker may wait for a processor meanwhile
    assert second["instructions"] > first["instructions"] > 0
    assert second["seconds"] > first["seconds"]


@pytest.mark.parametrize("source", [SPIN, ECHO], ids=["spinning", "waiting"])
def test_a_killed_worker_is_a_device_error(start: Start, source: str) -> None:
    console = start(source)
    console.write(b"s\n")
    lines = console.lines(10.0)
    assert next(lines) == b"s"
    os.kill(console._child.pid, signal.SIGKILL)
    with pytest.raises(DeviceError, match="the emulator's process was ended by SIGKILL") as caught:
        list(lines)
    assert caught.value.exit_code == 4
    with pytest.raises(DeviceError, match="SIGKILL"):
        console.write(b"x")
    console.close()


def test_lines_said_before_the_end_are_not_lost(start: Start) -> None:
    console = start(UART + "void reset(void) { uart_start(); print(1); print(2); REG(0x60000000) = 1; }")
    lines = console.lines(10.0)
    assert [next(lines), next(lines)] == [b"00000001", b"00000002"]
    with pytest.raises(DeviceError, match="write of 4 bytes at 0x60000000"):
        next(lines)
    with pytest.raises(DeviceError, match="0x60000000"):
        next(console.lines(1.0))
    assert console.statistics()["instructions"] > 0


def test_two_at_once_do_not_disturb_each_other(start: Start) -> None:
    first, second = start(ECHO), start(ECHO)
    first.write(b"one\n")
    second.write(b"two\n")
    assert next(second.lines(10.0)) == b"two"
    assert next(first.lines(10.0)) == b"one"
    first.close()
    second.write(b"still\n")
    assert next(second.lines(10.0)) == b"still"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_worker_ends_with_its_host(program: Program, number: signal.Signals) -> None:
    """On Ctrl-C, and when the host has no time for anything."""
    image = program(SPIN)
    with process.start([sys.executable, "-c", HOST, image.elf]) as host:
        pid = int(host.stdout.readline())
        assert is_running(pid)
        os.kill(host.pid, number)
        assert host.wait(10.0) is not None
        assert wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as an ELF"),
        (b"\x7fELF" + b"\0" * 60, "ELF"),
        (Path(sys.executable).resolve().read_bytes()[:4096], "ELF|not for Arm"),
    ],
    ids=["empty", "truncated", "other"],
)
def test_a_broken_program_is_refused(tmp_path: Path, program: Program, content: bytes, message: str) -> None:
    image = program(SPIN)
    image.elf.write_bytes(content)
    with pytest.raises(DeviceError, match=message):
        UnicornEmulator().start(image, board())


def test_a_program_outside_the_boards_memories_is_refused(tmp_path: Path) -> None:
    image = build(tmp_path, SPIN + '__attribute__((section(".far"), used)) const uint32_t far = 1;')
    data = bytearray(image.elf.read_bytes())
    header = int.from_bytes(data[28:32], "little")
    data[header + 12 : header + 16] = (0x0800_0000).to_bytes(4, "little")  # p_paddr of the first segment
    image.elf.write_bytes(bytes(data))
    with pytest.raises(DeviceError, match=r"loaded at \[0x8000000, .*outside the memories of board `nrf52840dk`"):
        UnicornEmulator().start(image, board())


def test_without_the_native_hook_it_counts_in_python_and_says_so(
    program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    image = program(ECHO)
    monkeypatch.setenv("TINYEDGE_CACHE", str(blocked))
    with UnicornEmulator().start(image, board()) as console:
        console.write(b"hi\n")
        assert next(console.lines(10.0)) == b"hi"
        (note,) = console.notes()
        assert note.startswith("counting in Python, slowly, as the native hook cannot be built: the cache folder")
        assert console.statistics()["native_hook"] == 0


def test_two_processes_may_build_the_helper_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    built: list[Path] = []
    threads = [threading.Thread(target=lambda: built.append(helper.native_helper())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(built)) == 1
    assert len(built) == 2
    folder = built[0].parent
    assert [path.name for path in folder.glob("unicorn-*")] == [built[0].name]
    assert len(list(folder.iterdir())) == 2, "the library and the entry of the cache that it is compared with"
    before = built[0].stat().st_mtime_ns
    time.sleep(0.01)
    assert helper.native_helper().stat().st_mtime_ns == before
