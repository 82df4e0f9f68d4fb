"""Flash and RAM of an image, by section and by symbol, and the error when they are too small."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

from tinyedge.artifacts import SizeTable, SymbolSize
from tinyedge.boards import Board, Isa, Memory
from tinyedge.build.elf import Elf, Section, read_elf
from tinyedge.errors import FitError

_NO_RAM = ("flash", "flash_data")
_LARGEST = 3
_NOTABLE_PERCENT = 1
"""the error about a full memory names that many symbols, if they take at least that share of what is needed"""


def measure_size(path: Path, board: Board) -> SizeTable:
    """The size of the ELF at `path` against the board's memories.

    Flash counts what is stored, .data included; RAM counts what is there at run time outside of flash, the stack
    as the linker script reserves it. Both include the gaps that alignment leaves. Limits are 0 on the host, which
    has none.
    """
    return size_of(read_elf(path), board)


def size_of(elf: Elf, board: Board) -> SizeTable:
    in_flash = {section.name: section for section in elf.sections if _takes_flash(section, board)}
    in_ram = {section.name: section for section in elf.sections if _takes_ram(section, board)}
    rows = tuple(
        (
            section.name,
            section.size if section.name in in_flash else 0,
            section.size if section.name in in_ram else 0,
        )
        for section in elf.sections
        if section.name in in_flash or section.name in in_ram
    )
    counted = {name for name, _, _ in rows}
    symbols = [SymbolSize(s.name, s.section, s.size) for s in elf.symbols if s.section in counted]
    return SizeTable(
        flash_bytes=_span((s.load_address, s) for s in in_flash.values()),
        ram_bytes=_span((s.address, s) for s in in_ram.values()),
        flash_limit_bytes=board.flash_limit_bytes,
        ram_limit_bytes=_ram_limit(in_ram.values(), board),
        sections=rows,
        symbols=tuple(sorted(symbols, key=lambda symbol: (-symbol.bytes, symbol.name))),
        constant_bytes=sum(
            s.size for s in elf.symbols if s.section in in_flash and s.section not in in_ram and not s.is_function
        ),
    )


def check_size(table: SizeTable, model: str, board: Board) -> None:
    """Raises: FitError that says what is too small by how much, and what takes the most of it."""
    facts = []
    flash = {name for name, flash_bytes, _ in table.sections if flash_bytes}
    ram = {name for name, _, ram_bytes in table.sections if ram_bytes}
    for memory, needs, has, sections in (
        ("flash", table.flash_bytes, table.flash_limit_bytes, flash),
        ("RAM", table.ram_bytes, table.ram_limit_bytes, ram),
    ):
        if not has or needs <= has:
            continue
        fact = f"needs {needs:,} B of {memory}; board `{board.name}` has {has:,} B ({needs - has:,} B too few)"
        notable = (s for s in table.symbols if s.section in sections and s.bytes * 100 >= needs * _NOTABLE_PERCENT)
        largest = list(itertools.islice(notable, _LARGEST))
        if largest:
            names = ", ".join(f"`{symbol.name}` ({symbol.section}) = {symbol.bytes:,} B" for symbol in largest)
            fact += f"\n       largest in {memory}: {names}"
        facts.append((memory, fact))
    if facts:
        wanted = " and ".join(memory for memory, _ in facts)
        raise FitError(
            f"model `{model}` " + "\n       and ".join(fact for _, fact in facts),
            hint=f"`tinyedge boards` lists boards with their memory; choose one with more {wanted}, or a smaller model",
        )


def _memory_of(address: int, board: Board) -> Memory | None:
    """The memory that an address belongs to; past the end of one it still counts as that one's overflow."""
    below = [memory for memory in board.memories if memory.start <= address]
    return max(below, key=lambda memory: memory.start, default=None)


def _takes_flash(section: Section, board: Board) -> bool:
    if board.core.isa is Isa.NATIVE:
        return section.stored
    memory = _memory_of(section.load_address, board)
    return section.stored and memory is not None and memory.name == "flash"


def _takes_ram(section: Section, board: Board) -> bool:
    if board.core.isa is Isa.NATIVE:
        return section.name in (".data", ".bss")
    memory = _memory_of(section.address, board)
    return memory is not None and memory.name not in _NO_RAM


def _ram_limit(sections: Iterable[Section], board: Board) -> int:
    """The sizes of the RAM regions in use: `ram` always, others where a section lies in them."""
    if not board.memories:
        return 0
    used = {board.ram.name: board.ram}
    for section in sections:
        memory = _memory_of(section.address, board)
        if memory is not None:
            used[memory.name] = memory
    return sum(memory.size_bytes for memory in used.values())


def _span(placed: Iterable[tuple[int, Section]]) -> int:
    """Bytes of sections, and of the gaps before them that their alignment explains."""
    total = 0
    end = None
    for address, section in sorted(placed, key=lambda item: item[0]):
        gap = address - end if end is not None else 0
        total += section.size + (gap if 0 < gap < section.alignment else 0)
        end = address + section.size
    return total
