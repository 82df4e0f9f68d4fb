"""What a board gives to a project: its header, the files of its chip family, and its linker script."""

from __future__ import annotations

import re

from tinyedge.boards import Board, Isa, Memory, pin_port_and_number
from tinyedge.generate.render import render, template_file
from tinyedge.paths import templates_dir

_INCLUDED = re.compile(r'^#include "(\w+)\.h"$', re.MULTILINE)
_FLASH_DATA = "flash_data"


def board_header(board: Board) -> bytes:
    """te_board.h: the board's clock and console as macros."""
    return render("te_board.h.j2", board=board, console=_console_macros(board), clock=_clock_macros(board))


def _console_macros(board: Board) -> list[tuple[str, str]]:
    """(name behind TE_CONSOLE_, value): pins as port and number, addresses in hex."""
    macros = []
    for key, value in sorted(board.console.items()):
        if key.endswith("_pin"):
            port, number = pin_port_and_number(str(value))
            macros += [(f"{key.removesuffix('_pin').upper()}_PORT", f"{port}u"), (f"{key.upper()}", f"{number}u")]
        elif isinstance(value, int):
            macros.append((key.upper(), f"{value:#x}u" if key == "base" else str(value)))
    return macros


def _clock_macros(board: Board) -> list[tuple[str, str]]:
    """(name behind TE_CLOCK_, value); what the source is becomes a name: TE_CLOCK_SOURCE_CRYSTAL."""
    return [
        (f"{key}_{value}".upper(), "1")
        if isinstance(value, str)
        else (key.upper(), f"{value:#x}u" if key == "counter_base" else f"{value}u")
        for key, value in sorted(board.clock.items())
    ]


def bsp_files(board: Board) -> dict[str, bytes]:
    """The chip family's file, the parts it shares with other families, and the startup of its kind of core.

    A header that a file includes and that lies beside it is taken too, and the .c of the same name with it.
    """
    folder = templates_dir() / "bsp"
    wanted = [f"{board.family}.c"]
    if board.core.name.startswith("cortex-m"):
        wanted.append("startup_cortex_m.c")
    elif board.core.isa is Isa.RV32IMC:
        wanted.append("startup_rv32.c")
    files: dict[str, bytes] = {}
    while wanted:
        name = wanted.pop()
        if name in files or not (folder / name).is_file():
            continue
        files[name] = template_file(f"bsp/{name}")
        wanted += [stem + suffix for stem in _INCLUDED.findall(files[name].decode()) for suffix in (".h", ".c")]
    return {f"bsp/{name}": files[name] for name in sorted(files)}


def make_linker_script(board: Board, stack_bytes: int) -> bytes:
    """link.ld: the board's memories, and what lies where in them."""
    skipped = board.flash_start - board.flash.start
    return render(
        "link.ld.j2",
        board=board,
        flash_origin=f"{board.flash_start:#010x}",
        flash_length=board.flash_limit_bytes,
        flash_note=f" /* behind {skipped} bytes of bootloader */" if skipped else "",
        flash_data=next((f"{memory.start:#010x}" for memory in board.memories if memory.name == _FLASH_DATA), ""),
        ram_regions=[_region(memory) for memory in board.memories if memory.name not in ("flash", _FLASH_DATA)],
        stack_bytes=stack_bytes,
    )


def _region(memory: Memory) -> dict[str, str]:
    return {"name": memory.name.upper(), "origin": f"{memory.start:#010x}", "length": str(memory.size_bytes)}
