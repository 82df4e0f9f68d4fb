"""What Renode is given: a platform description with the board's own memories and clock, and a script that starts it.

A stock platform has more memory than the board, and fetches register names from the web; so none is used.
"""

from __future__ import annotations

from pathlib import Path

from tinyedge.boards import Board
from tinyedge.paths import renode_dir
from tinyedge.templates import environment

STARTED = "tinyedge: started"
"""what the script logs once the firmware runs"""
_OPTION = "renode"
_HZ_PER_MIPS = 1_000_000
_NS_PER_US = 1000
_CPU_TYPES = {
    "cortex-m0plus": "cortex-m0+",
    "cortex-m3": "cortex-m3",
    "cortex-m4f": "cortex-m4f",
    "cortex-m7f": "cortex-m7",
    "cortex-m33f": "cortex-m33",
    "cortex-m55": "cortex-m55",
}


def template_name(board: Board) -> str:
    """The file of renode/ that describes boards of this kind: `emulator_options.renode`, else the chip family's."""
    return f"{board.emulator_options.get(_OPTION, board.family)}.repl.j2"


def has_platform(board: Board) -> bool:
    """Whether renode/ describes boards of this kind."""
    return (renode_dir() / template_name(board)).is_file()


def performance_in_mips(board: Board) -> int:
    """How many million instructions a second Renode is told to execute, and its counters to advance.

    Virtual time comes in whole nanoseconds: an instruction has to last a whole number of them, or counts are off by
    up to mips / gcd(mips, 1000). So it is the largest divisor of 1000 that the board's clock in MHz reaches.

    >>> from tinyedge.boards import load_board
    >>> performance_in_mips(load_board("nrf52840dk"))  # 64 MHz: an instruction lasts 20 ns
    50
    """
    return max(mips for mips in range(1, _NS_PER_US + 1) if _NS_PER_US % mips == 0 and mips <= max(1, _mhz(board)))


def _mhz(board: Board) -> int:
    return board.clock_hz // _HZ_PER_MIPS


def platform_text(board: Board) -> str:
    """The .repl of the board: its memories, core, clock and serial port, and what the start-up waits for; no more."""
    return (
        environment(renode_dir())
        .get_template(template_name(board))
        .render(
            board=board,
            cpu_type=_CPU_TYPES.get(board.core.name, ""),
            mips=performance_in_mips(board),
            counter_hz=performance_in_mips(board) * _HZ_PER_MIPS,
        )
    )


def machine_text(board: Board, platform: Path, elf: Path) -> str:
    """The .resc that makes the machine and loads its program."""
    return _script("machine.resc.j2", board, platform, elf)


def script_text(board: Board, platform: Path, elf: Path, line: Path) -> str:
    """The .resc that does the same, makes a pseudo-terminal `line` of the serial port, starts, and says STARTED."""
    return _script("run.resc.j2", board, platform, elf, line=str(line.absolute()), started=STARTED)


def _script(template: str, board: Board, platform: Path, elf: Path, **values: str) -> str:
    return (
        environment(renode_dir())
        .get_template(template)
        .render(
            board=board,
            platform=monitor_path(platform),
            elf=monitor_path(elf),
            is_cortex_m=_is_cortex_m(board),
            **values,
        )
    )


def monitor_path(path: Path) -> str:
    r"""A path as Renode's monitor reads it.

    >>> monitor_path(Path("/my models/firmware.elf"))
    '/my\\ models/firmware.elf'
    """
    return str(path.absolute()).replace(" ", "\\ ")


def _is_cortex_m(board: Board) -> bool:
    return board.core.name.startswith("cortex-m")
