"""Boards: boards/<name>.toml read into frozen data and checked once.

Every number of a board file carries its source (data sheet section) in a comment or a `source` key there.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Isa(enum.Enum):
    """What the kernels of a core may use; the folders of kernels/ and firmware_templates/runtime/ that apply to it."""

    ARMV6M = "armv6m"
    ARMV7M = "armv7m"
    ARMV7EM = "armv7em"
    ARMV8M_DSP = "armv8m_dsp"
    ARMV8_1M_MVE = "armv8_1m_mve"
    RV32IMC = "rv32imc"
    NATIVE = "native"


@dataclass(frozen=True)
class Core:
    """A processor core: what compilers, kernels, timing models and emulators need to know of it."""

    name: str
    """e.g. `cortex-m4f`, `cortex-m0plus`, `rv32imc`, `native`"""
    isa: Isa
    fpu: str = ""
    """e.g. `fpv4-sp-d16`; empty without one"""

    @property
    def has_dsp(self) -> bool:
        """SMLAD and friends: Armv7E-M, Armv8-M with the DSP extension."""
        return self.isa in (Isa.ARMV7EM, Isa.ARMV8M_DSP, Isa.ARMV8_1M_MVE)


@dataclass(frozen=True)
class Memory:
    """One region of memory as the firmware may use it."""

    name: str
    """`flash` or `ram`, or a further region, e.g. `ram2`"""
    start: int
    size_bytes: int


@dataclass(frozen=True)
class Board:
    """One board. Field by field what its .toml says."""

    name: str
    """Zephyr's name"""
    title: str
    """the vendor's name for people"""
    aliases: tuple[str, ...]
    chip: str
    family: str
    """the file firmware_templates/bsp/<family>.c"""
    core: Core
    clock_hz: int
    memories: tuple[Memory, ...]
    flash_start: int
    """where the image starts: behind a bootloader, if there is one"""
    console: dict[str, str | int]
    """kind (`uarte`, `stdio`, ...), base address, pins and baud rate, as the family's bsp file wants them"""
    flashers: tuple[str, ...]
    """flash tools in order of preference"""
    flash_options: dict[str, str]
    """per tool: target name, family id, ..."""
    emulators: tuple[str, ...]
    """emulators in order of preference"""
    usb_ids: tuple[tuple[int, int], ...]
    """(vendor, product) of its serial port"""
    sources: dict[str, str]
    """where the numbers come from"""

    def memory(self, name: str) -> Memory:
        """The region `name`; KeyError when the board has none."""
        return next(m for m in self.memories if m.name == name)

    @property
    def flash(self) -> Memory:
        return self.memory("flash")

    @property
    def ram(self) -> Memory:
        return self.memory("ram")
