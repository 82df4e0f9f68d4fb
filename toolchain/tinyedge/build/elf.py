"""What the other files of this room want to know of an ELF: sections, load segments, symbols."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from tinyedge.errors import ToolError

_SHF_ALLOC = 0x2


@dataclass(frozen=True)
class Section:
    """A section that takes memory while the firmware runs."""

    name: str
    address: int
    """where it is at run time"""
    load_address: int
    """where its bytes are stored"""
    size: int
    alignment: int
    stored: bool
    """whether the image carries its bytes; .bss has none"""


@dataclass(frozen=True)
class Segment:
    """Bytes that a flash tool writes at a physical address."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Symbol:
    name: str
    section: str
    address: int
    size: int
    is_function: bool = True


@dataclass(frozen=True)
class Elf:
    entry: int
    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]
    """those with bytes, by address"""
    symbols: tuple[Symbol, ...]
    """functions and objects with a size; of several names for one place, the first by alphabet"""


def read_elf(path: Path) -> Elf:
    """Read a linked ELF. Raises: ToolError when it is not one."""
    try:
        return _parse(ELFFile(BytesIO(path.read_bytes())))
    except (ELFError, ValueError, KeyError) as error:
        raise ToolError(f"`{path.name}` is not a whole ELF file: {error}") from error


def _parse(elf: ELFFile) -> Elf:
    loads = [segment for segment in elf.iter_segments() if segment["p_type"] == "PT_LOAD"]
    sections = []
    for section in elf.iter_sections():
        if not section["sh_flags"] & _SHF_ALLOC or not section["sh_size"]:
            continue
        address = section["sh_addr"]
        moved = next((s["p_paddr"] - s["p_vaddr"] for s in loads if s.section_in_segment(section)), 0)
        stored = section["sh_type"] != "SHT_NOBITS"
        sections.append(
            Section(section.name, address, address + moved, section["sh_size"], section["sh_addralign"], stored)
        )
    segments = [Segment(segment["p_paddr"], segment.data()) for segment in loads if segment["p_filesz"]]
    return Elf(
        elf["e_entry"],
        tuple(sections),
        tuple(sorted(segments, key=lambda segment: segment.address)),
        tuple(_symbols(elf)),
    )


def _symbols(elf: ELFFile) -> list[Symbol]:
    found: dict[tuple[int, int], Symbol] = {}
    for table in elf.iter_sections():
        if not isinstance(table, SymbolTableSection) or table["sh_type"] != "SHT_SYMTAB":
            continue
        for entry in table.iter_symbols():
            if entry["st_info"]["type"] not in ("STT_FUNC", "STT_OBJECT") or not entry["st_size"]:
                continue
            if not isinstance(entry["st_shndx"], int):
                continue  # undefined or absolute
            function = entry["st_info"]["type"] == "STT_FUNC" and elf["e_machine"] == "EM_ARM"
            address = entry["st_value"] & ~1 if function else entry["st_value"]  # bit 0 says Thumb
            section = elf.get_section(entry["st_shndx"]).name
            symbol = Symbol(entry.name, section, address, entry["st_size"], entry["st_info"]["type"] == "STT_FUNC")
            other = found.setdefault((address, symbol.size), symbol)
            if symbol.name < other.name:
                found[address, symbol.size] = symbol
    return list(found.values())
