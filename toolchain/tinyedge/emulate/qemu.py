"""QEMU: Debian's emulator, for the boards it has a machine of. Its virtual time is a count of instructions.

With `-icount shift=N` every instruction takes 2^N ns, and a timer that runs at F Hz advances by F * 2^N / 10^9 at each.
N is chosen so that this is 2 ticks at least: a difference of two readings is less than one tick off, so ticks become
instructions exactly. Sources: QEMU's documentation, "TCG Instruction Counting"; hw/core/ptimer.c; target/riscv/csr.c,
where `mcycle` is the virtual time in ns.
"""

from __future__ import annotations

import functools
import re
import time
from fractions import Fraction
from pathlib import Path

from tinyedge import process
from tinyedge.artifacts import Counting, Image
from tinyedge.boards import Board, Isa
from tinyedge.console.contract import Uncounted
from tinyedge.console.process import ProcessConsole
from tinyedge.errors import DeviceError, ToolError

_OPTION = "qemu"
_NS_PER_S = 1_000_000_000
_LONGEST_SHIFT = 10
"""`-icount` takes no more"""
_LEAST_TICKS = 2
_TIMEOUT_S = 20.0
_PROGRAMS = {
    Isa.RV32IMC: ("qemu-system-riscv32", "`apt-get install qemu-system-misc` installs it"),
    None: ("qemu-system-arm", "`apt-get install qemu-system-arm` installs it"),
}
_FAULT = re.compile(r"^qemu: fatal: (.*)$", re.MULTILINE)
_PROGRAM_COUNTER = re.compile(r"R15=([0-9a-f]{8})")
_COMPLAINT = re.compile(r"^qemu-system-\w+: (?!warning:|terminating)(.*)$", re.MULTILINE)


def icount_shift(board: Board) -> int:
    """The smallest N of `-icount shift=N` at which an instruction lasts 2 ticks of the board's counter, at most 10.

    >>> from tinyedge.boards import load_board
    >>> icount_shift(load_board("mps2_an386"))  # 25 MHz: 40 ns a tick, 128 ns an instruction
    7
    """
    if _counts_time(board):
        return 0
    shifts = (shift for shift in range(_LONGEST_SHIFT) if _ticks_at(board, shift) >= _LEAST_TICKS)
    return next(shifts, _LONGEST_SHIFT)


def ticks_per_instruction(board: Board) -> Fraction:
    """How far the board's counter advances at each instruction, at `icount_shift`.

    >>> from tinyedge.boards import load_board
    >>> ticks_per_instruction(load_board("mps2_an386"))
    Fraction(16, 5)
    """
    return Fraction(1) if _counts_time(board) else _ticks_at(board, icount_shift(board))


def _ticks_at(board: Board, shift: int) -> Fraction:
    return Fraction(board.clock_hz * 2**shift, _NS_PER_S)


def _counts_time(board: Board) -> bool:
    """Whether the counter is `mcycle`: QEMU gives virtual ns for it, one for each instruction at shift 0."""
    return board.core.isa is Isa.RV32IMC and "counter_base" not in board.clock


class QemuConsole(ProcessConsole, Uncounted):
    """The serial line of an emulated board, over QEMU's standard input and output; nobody sees its counter be read."""

    def __init__(self, child: process.Child, ratio: Fraction) -> None:
        super().__init__(child)
        self._ratio = ratio
        self._started = time.monotonic()

    def statistics(self) -> dict[str, float]:
        """seconds since the start, those spent on the host too; ticks_per_instruction."""
        return {"seconds": time.monotonic() - self._started, "ticks_per_instruction": float(self._ratio)}

    def notes(self) -> tuple[str, ...]:
        """What a user should know of this emulation."""
        if self._ratio >= _LEAST_TICKS or self._ratio == 1:
            return ()
        return (f"instructions are rounded: the counter advances by {float(self._ratio):.3f} ticks at each",)

    def stderr_tail(self) -> str:
        """What QEMU said last, without its warnings of devices of the machine that nobody uses."""
        return "\n".join(line for line in super().stderr_tail().splitlines() if ": warning: " not in line)

    def _gone(self) -> DeviceError:
        """What the end of the process means: the firmware halted, or broke its core, or QEMU refused."""
        error = super()._gone()
        said = self.stderr_tail()
        if fault := _FAULT.search(said):
            counter = _PROGRAM_COUNTER.search(said)
            where = f", pc=0x{counter[1]}" if counter else ""
            return DeviceError(
                f"the emulated core stopped: {fault[1]}{where}", hint="a fault while a fault was handled; no hardware"
            )
        code = self.child.poll()
        if code is None or code < 0 or _COMPLAINT.search(said):
            return error
        return DeviceError(
            f"the emulated firmware halted with code {code}", hint="`tinyedge run -v` shows what it sent before"
        )


class QemuEmulator:
    """QEMU with exact instruction counts. Each board runs in its own process; the serial line is a pipe."""

    name = "qemu"

    def __init__(self, board: Board | None = None) -> None:
        """`board` decides which of QEMU's programs it is, and what a tick of the counter is."""
        self._program, self._hint = _PROGRAMS.get(board.core.isa if board else None, _PROGRAMS[None])
        ratio = Fraction(1) if board is None else ticks_per_instruction(board)
        self.counting = Counting("instructions", ticks_per_instruction=ratio)

    def version(self) -> str:
        """Its version for reports. Raises: ToolError with the way to install it when it is missing."""
        return _version(process.require(self._program, self._hint))

    def supports(self, board: Board) -> str:
        """Empty when it can run the board's firmware, otherwise the reason it cannot."""
        return "" if _OPTION in board.emulator_options else f"`qemu` has no machine for board `{board.name}`"

    def command(self, image: Image, board: Board) -> list[str]:
        """The command line that runs the firmware with its serial line on standard input and output."""
        bios = ["-bios", "none"] if board.core.isa is Isa.RV32IMC else []
        return [
            *(self._program, "-M", board.emulator_options[_OPTION], *bios, "-nodefaults", "-no-user-config"),
            # A port that is polled wakes nobody when it can take more, and QEMU sleeps on although input waits: `mux`
            # makes it read ahead.
            *("-display", "none", "-chardev", "stdio,id=line,signal=off,mux=on", "-serial", "chardev:line"),
            *("-icount", f"shift={icount_shift(board)},sleep=off"),  # sleep=off: waiting for a timer takes no time
            *("-semihosting-config", "enable=on,target=native"),  # how a firmware ends it
            *("-kernel", str(image.elf.absolute())),
        ]

    def start(self, image: Image, board: Board) -> QemuConsole:
        """Reset and run. Raises: ToolError when it is missing or too old, DeviceError when it cannot run the board."""
        version = self.version()
        if reason := self.supports(board):
            raise DeviceError(reason, hint="`tinyedge boards` lists the emulators of each board")
        machine = board.emulator_options[_OPTION].split(",")[0]
        if machine not in _machines(process.require(self._program, self._hint)):
            raise ToolError(
                f"`{self._program}` {version} has no machine `{machine}`, which is board `{board.name}`",
                hint="install a newer QEMU",
            )
        return QemuConsole(process.start(self.command(image, board)), ticks_per_instruction(board))


@functools.cache
def _version(program: Path) -> str:
    completed = process.run([program, "--version"], timeout_s=_TIMEOUT_S)
    found = re.search(r"version (\S+)", completed.stdout)
    return found[1] if found else completed.stdout.strip()


@functools.cache
def _machines(program: Path) -> frozenset[str]:
    """The names of all machines of this QEMU."""
    lines = process.run([program, "-M", "help"], timeout_s=_TIMEOUT_S).stdout.splitlines()
    return frozenset(line.split()[0] for line in lines[1:] if line.strip())
