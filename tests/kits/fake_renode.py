"""A program that looks like Renode to tinyedge: its options, its monitor, its line - and its ways to fail.

It reads the script it is given, checks what Renode would check, and lets the embedded emulator run the firmware behind
the pseudo-terminal. `FAKE_RENODE` says how it fails: one of FAILURES.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyedge.artifacts import Image, SizeTable
from tinyedge.boards import load_board
from tinyedge.emulate.unicorn.host import UnicornConsole, UnicornEmulator
from tinyedge.errors import DeviceError

FAILURES = ("hang", "fatal", "script-exits", "script-hangs", "late", "crash", "abort", "die", "silent")
LATE_S = 0.6
VERSION = "Renode v1.16.1.12345\n  build: fake\n"


class ScriptError(Exception):
    """A command of the script fails."""


def say(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(text, flush=True)


class FakeRenode:
    """One emulation: what the commands of a script build up."""

    def __init__(self, failure: str) -> None:
        self.failure = failure
        self.board = ""
        self.platform = ""
        self.elf: Path | None = None
        self.line: int | None = None
        self.connected = False
        self.commands: dict[str, Callable[[list[str]], None]] = {
            "using": lambda words: None,
            "mach": self.mach,
            "machine": self.machine,
            "sysbus": self.sysbus,
            "cpu": self.cpu,
            "logLevel": lambda words: None,
            "emulation": self.emulation,
            "connector": self.connector,
            "start": self.start,
            "log": lambda words: say(f"21:04:05.4321 [INFO] Script: {words[1]}"),
        }

    def run_script(self, path: Path) -> None:
        """Every command, until one fails."""
        for line in path.read_text().splitlines():
            words = [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|((?:\\ |\S)+)', line)]
            if not words or words[0].startswith("#"):
                continue
            try:
                if words[0] not in self.commands:
                    raise ScriptError(f"No such command or device: {words[0]}")
                self.commands[words[0]](words)
            except ScriptError as error:
                say(f"There was an error executing command '{line}': ")
                say(str(error))
                return

    def mach(self, words: list[str]) -> None:
        if words[1] != "create":
            raise ScriptError("Bad parameters for command mach")
        self.board = words[2]

    def machine(self, words: list[str]) -> None:
        if self.failure in ("script-exits", "script-hangs"):
            raise ScriptError("Error E36: Could not resolve type: 'UART.Nothing'.")
        if words[1] != "LoadPlatformDescription":
            raise ScriptError(f"machine does not provide a field, method or property {words[1]}")
        self.platform = existing(words[2]).read_text()
        if "ApplySVD" in self.platform or "http" in self.platform:
            raise ScriptError("Could not download file")

    def sysbus(self, words: list[str]) -> None:
        if words[1] != "LoadELF":
            raise ScriptError(f"sysbus does not provide a field, method or property {words[1]}")
        self.elf = existing(words[2])

    def cpu(self, words: list[str]) -> None:
        if words[1] != "VectorTableOffset" or "CPU.CortexM" not in self.platform:
            raise ScriptError(f"cpu does not provide a field, method or property {words[1]}")
        int(words[2], 16)

    def emulation(self, words: list[str]) -> None:
        command, _, link = words[1:]
        if command != "CreateUartPtyTerminal":
            raise ScriptError(f"emulation does not provide a field, method or property {command}")
        if self.failure == "late":
            time.sleep(LATE_S)
        self.line, other = pty.openpty()
        Path(link).symlink_to(os.ttyname(other))

    def connector(self, words: list[str]) -> None:
        if words[1:] != ["Connect", "sysbus.uart", "te_serial"] or not re.search("^uart: UART", self.platform, re.M):
            raise ScriptError("Could not find object sysbus.uart")
        self.connected = True

    def start(self, words: list[str]) -> None:
        del words
        if not (self.elf and self.line and self.connected):
            raise ScriptError("nothing to start")
        if self.failure == "crash":
            os.kill(os.getpid(), 9)
        say(f"21:04:05.4300 [INFO] {self.board}: Machine started.")
        say("21:04:05.4305 [WARNING] uart: [cpu: 0x1C2] Unhandled write to offset 0x8. Unhandled bits: [13].")
        say("21:04:05.4310 [WARNING] sysbus: WriteDoubleWord to non existing peripheral at 0x40000558, value 0x5A.")
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        """The serial line: the firmware runs at once, what it sends is kept until somebody reads it."""
        assert self.elf is not None
        if self.failure == "silent":
            return
        image = Image(self.elf, None, None, None, SizeTable(0, 0, 0, 0, (), ()), "", "", "")
        board = load_board(self.board)
        check_memories(self.platform, {memory.start: memory.size_bytes for memory in board.memories})
        emulator = UnicornEmulator(board)
        with emulator.start(image, board) as firmware, contextlib.suppress(OSError, DeviceError):
            self.bridge(firmware)

    def bridge(self, firmware: UnicornConsole) -> None:
        assert self.line is not None
        requests = 0
        while True:
            for line in firmware.lines(0.01):
                os.write(self.line, line + b"\n")
            if select.select([self.line], [], [], 0.0)[0]:
                data = os.read(self.line, 4096)
                requests += 1
                if requests > 3 and self.failure == "abort":
                    say("21:04:06.0000 [ERROR] cpu: CPU abort [PC=0x1234]: Trying to execute code outside RAM.")
                elif requests > 3 and self.failure == "die":
                    os._exit(0)
                else:
                    firmware.write(data)


def existing(word: str) -> Path:
    path = Path(word.removeprefix("@").replace("\\ ", " "))
    if not word.startswith("@") or not path.is_file():
        raise ScriptError(f"Parameters did not match the signature: {word}")
    return path


def check_memories(platform: str, wanted: dict[int, int]) -> None:
    """The memories of the platform are the board's, byte for byte."""
    found = re.findall(r"Memory\.MappedMemory @ sysbus (0x[0-9a-f]+)\n    size: (0x[0-9a-f]+)", platform)
    assert {int(start, 16): int(size, 16) for start, size in found} == wanted


def input_bytes() -> Iterator[bytes]:
    while data := os.read(0, 1024):
        yield data


def main() -> None:
    if sys.argv[1:] == ["--version"]:
        say(VERSION)
        return
    *options, script = sys.argv[1:]
    assert options == ["--console", "--disable-gui", "--plain"], options
    failure = os.environ.get("FAKE_RENODE", "")
    tempfile.mkdtemp(prefix=f"renode-{os.getpid()}")  # it stays when Renode is killed
    if failure == "fatal":
        say("Fatal error:\nCould not add reference to assembly IronPython.StdLib")
        for number in range(40):
            say(f"  at IronPython.Runtime.ClrModule.AddReference (System.Object reference) [0x{number:x}] in <9173>:0 ")
            say(f"   at Antmicro.Renode.Program.Main(String[] args) in /renode/src/Program.cs:line {number}")
            say("   at System.Threading.ThreadHelper.ThreadStart()")
        sys.exit(1)
    say("21:04:05.1234 [INFO] Loaded monitor commands from: monitor.py")
    say(f"(monitor) i @{script}")
    if failure == "hang":
        time.sleep(600)
    FakeRenode(failure).run_script(Path(script.replace("\\ ", " ")))
    if failure == "script-exits":
        return
    for _ in input_bytes():
        pass  # at the end of its input it quits


if __name__ == "__main__":
    main()
