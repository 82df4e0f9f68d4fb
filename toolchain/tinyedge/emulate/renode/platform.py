"""What Renode is given: a platform description with the board's own memories and clock, and a script that starts it.

A stock platform has more memory than the board, and fetches register names from the web; so none is used.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from tinyedge.boards import Board
from tinyedge.paths import renode_dir
from tinyedge.templates import environment

STARTED = "tinyedge: started"
"""what the script logs once the firmware runs"""
_OPTION = "renode"
_HZ_PER_MIPS = 1_000_000
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
    """How many million instructions a second Renode is told to execute: one each cycle, as near as whole MIPS come."""
    return max(1, round(board.clock_hz / _HZ_PER_MIPS))


def ticks_per_instruction(board: Board) -> Fraction:
    """How far a counter of the board's clock advances at each instruction: 1 where the clock is whole MHz."""
    if not _is_cortex_m(board):
        return Fraction(1)  # `mcycle` counts instructions, whatever the clock
    return Fraction(board.clock_hz, performance_in_mips(board) * _HZ_PER_MIPS)


def platform_text(board: Board) -> str:
    """The .repl of the board: its memories, core, clock and serial port, and what the start-up waits for; no more."""
    return (
        environment(renode_dir())
        .get_template(template_name(board))
        .render(board=board, cpu_type=_CPU_TYPES.get(board.core.name, ""), mips=performance_in_mips(board))
    )


def machine_text(board: Board, platform: Path, elf: Path) -> str:
    """The .resc that makes the machine and loads its program."""
    return _script("machine.resc.j2", board, platform, elf)


def script_text(board: Board, platform: Path, elf: Path, port: int) -> str:
    """The .resc that does the same, puts the serial line on TCP `port`, starts, and says STARTED."""
    return _script("run.resc.j2", board, platform, elf, port=port, started=STARTED)


def _script(template: str, board: Board, platform: Path, elf: Path, **values: str | int) -> str:
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
