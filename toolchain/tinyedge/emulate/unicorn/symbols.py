"""The program: its segments, and the names of its functions for messages."""

from __future__ import annotations

import bisect
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

THUMB_BIT = 1


class BrokenProgramError(Exception):
    """The file is no ELF that a machine could load; the text says why."""


@dataclass(frozen=True)
class Function:
    start: int
    size_bytes: int
    name: str


class Program:
    """An ELF as a loader sees it."""

    def __init__(
        self, segments: list[tuple[int, bytes]], functions: list[Function], symbols: dict[str, int], entry: int = 0
    ) -> None:
        self.segments = segments
        """(load address, bytes)"""
        self.symbols = symbols
        self.entry = entry
        """where execution starts, for cores without a vector table"""
        self._functions = sorted(functions, key=lambda function: function.start)
        self._starts = [function.start for function in self._functions]

    @classmethod
    def load(cls, path: Path, core: str = "cortex-m4f") -> Program:
        """A program for that core. Raises: BrokenProgramError"""
        machine, title = ("EM_RISCV", "RISC-V") if core.startswith("rv32") else ("EM_ARM", "Arm")
        try:
            with path.open("rb") as stream:
                elf = ELFFile(stream)
                if elf["e_machine"] != machine:
                    raise BrokenProgramError(f"{path.name} is a program for {elf['e_machine']}, not for {title}")
                segments = [
                    (segment["p_paddr"], segment.data())
                    for segment in elf.iter_segments("PT_LOAD")
                    if segment["p_filesz"]
                ]
                table = elf.get_section_by_name(".symtab")
                symbols = list(table.iter_symbols()) if isinstance(table, SymbolTableSection) else []
                functions = [
                    Function(symbol["st_value"] & ~THUMB_BIT, symbol["st_size"], symbol.name)
                    for symbol in symbols
                    if symbol["st_info"]["type"] == "STT_FUNC"
                ]
        except (OSError, ELFError) as error:
            raise BrokenProgramError(f"{path.name} cannot be read as an ELF: {error}") from error
        if not segments:
            raise BrokenProgramError(f"{path.name} has nothing to load")
        return cls(segments, functions, {symbol.name: symbol["st_value"] for symbol in symbols}, elf["e_entry"])

    def function_at(self, address: int) -> Function | None:
        index = bisect.bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        function = self._functions[index]
        return function if address < function.start + max(function.size_bytes, 2) else None

    def describe(self, address: int) -> str:
        """`main+0x1c0`, or `?` outside all functions."""
        function = self.function_at(address)
        return "?" if function is None else f"{function.name}+{address - function.start:#x}"
