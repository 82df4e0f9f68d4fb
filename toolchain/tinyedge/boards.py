"""Boards: boards/<name>.toml read into frozen data and checked once.

Every number of a board file carries its source (data sheet and section) in its table `sources` or in a comment.
A board file that breaks a rule is refused with the rule, the key and the file; nothing later checks a board again.
"""

from __future__ import annotations

import difflib
import enum
import functools
import itertools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tinyedge.errors import UsageError
from tinyedge.paths import boards_dir, templates_dir


class Isa(enum.Enum):
    """What the kernels of a core may use; the folders of kernels/ and firmware_templates/runtime/ that apply to it."""

    ARMV6M = "armv6m"
    ARMV7M = "armv7m"
    ARMV7EM = "armv7em"
    ARMV8M_DSP = "armv8m_dsp"
    ARMV81M = "armv81m"
    RV32IMC = "rv32imc"
    NATIVE = "native"


@dataclass(frozen=True)
class Core:
    """A processor core: what compilers, kernels, timing models and emulators need to know of it."""

    name: str
    """a key of CORES"""
    isa: Isa
    fpu: str = ""
    """e.g. `fpv4-sp-d16`; empty without one"""

    @property
    def has_dsp(self) -> bool:
        """SMLAD and friends: Armv7E-M, Armv8-M with the DSP extension."""
        return self.isa in (Isa.ARMV7EM, Isa.ARMV8M_DSP, Isa.ARMV81M)


CORES = {
    core.name: core
    for core in (
        Core("cortex-m0plus", Isa.ARMV6M),
        Core("cortex-m3", Isa.ARMV7M),
        Core("cortex-m4f", Isa.ARMV7EM, "fpv4-sp-d16"),
        Core("cortex-m7f", Isa.ARMV7EM, "fpv5-sp-d16"),
        Core("cortex-m33f", Isa.ARMV8M_DSP, "fpv5-sp-d16"),
        Core("cortex-m55", Isa.ARMV81M, "fp-armv8-fullfp16"),
        Core("rv32imc", Isa.RV32IMC),
        Core("rv32imac", Isa.RV32IMC),
        Core("native", Isa.NATIVE),
    )
}
"""The cores a board file can name."""


@dataclass(frozen=True)
class Memory:
    """One region of memory as the firmware may use it."""

    name: str
    """`flash` or `ram`, or a further region, e.g. `ram2`; `flash_data`: the flash again, where loads see it"""
    start: int
    size_bytes: int

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.start + self.size_bytes


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
    """`kind` and the keys CONSOLE_KEYS lists for it: base address, pins and baud rate, as the bsp file wants them"""
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
    clock: dict[str, str | int] = field(default_factory=dict)
    """how `clock_hz` comes about, where the bsp file needs to know: CLOCK_KEYS"""
    emulator_options: dict[str, str] = field(default_factory=dict)
    """per emulator what it calls this board, e.g. `qemu = "mps2-an386"`"""

    def memory(self, name: str) -> Memory:
        """The region `name`; KeyError when the board has none."""
        for memory in self.memories:
            if memory.name == name:
                return memory
        raise KeyError(name)

    @property
    def flash(self) -> Memory:
        return self.memory("flash")

    @property
    def ram(self) -> Memory:
        return self.memory("ram")

    @property
    def flash_limit_bytes(self) -> int:
        """Flash an image may fill: from `flash_start` to the end; 0 on the host."""
        return self.flash.end - self.flash_start if self.memories else 0


CONSOLE_KEYS: Mapping[str, Mapping[str, type]] = {
    "stdio": {},
    "uart": {"base": int, "baud": int},  # pins that cannot be chosen
    "uarte": {"base": int, "baud": int, "tx_pin": str, "rx_pin": str},
    "pl011": {"base": int, "baud": int, "tx_pin": str, "rx_pin": str},
    "usart": {"base": int, "baud": int, "tx_pin": str, "rx_pin": str, "pin_function": int},
    "usart_f1": {"base": int, "baud": int, "tx_pin": str, "rx_pin": str},
}
"""Keys of [console] by its kind, beside `kind`. `wiring` may always stand there: for people, where no USB bridge is.
`pin_function` is the alternate function (AF) of both pins."""

CLOCK_KEYS: Mapping[str, type] = {
    "source": str,  # one of CLOCK_SOURCES
    "source_hz": int,
    "pll_m": int,
    "pll_n": int,
    "pll_p": int,
    "wait_states": int,  # of the flash at clock_hz
    "counter_base": int,  # of a timer that counts clock_hz, where the core has no counter of its own
}
"""Keys of the optional table [clock]. A PLL makes source_hz / pll_m * pll_n / pll_p, in the chip's own terms."""

CLOCK_SOURCES = ("crystal", "external", "internal")
"""A crystal between two pins, a clock fed into one pin, an oscillator in the chip."""

_REQUIRED: Mapping[str, type] = {
    "title": str,
    "chip": str,
    "family": str,
    "core": str,
    "clock_hz": int,
    "flash_start": int,
    "flashers": list,
    "emulators": list,
    "usb_ids": list,
    "console": dict,
    "sources": dict,
}
_OPTIONAL: Mapping[str, type] = {
    "aliases": list,
    "memory": dict,
    "flash_options": dict,
    "clock": dict,
    "emulator_options": dict,
}
_PIN = re.compile(r"(?:P([A-K]|[0-9])\.?|GPIO)([0-9]{1,2})")


def pin_port_and_number(pin: str) -> tuple[int, int]:
    """Port and number of a pin as chip vendors write it; ports A, B, ... count from 0, and an only port is 0.

    Raises: ValueError when it is no pin.

    >>> pin_port_and_number("P1.03"), pin_port_and_number("PA2"), pin_port_and_number("GPIO16")
    ((1, 3), (0, 2), (0, 16))
    """
    if not (match := _PIN.fullmatch(pin)):
        raise ValueError(f"`{pin}` is no pin")
    port = match[1] or "0"
    return (int(port) if port.isdecimal() else ord(port) - ord("A")), int(match[2])


def load_board(name: str) -> Board:
    """The board of that name or alias. Raises: UsageError, with the nearest name, when there is none."""
    boards = _all_boards(boards_dir())
    if board := boards.get(name):
        return board
    near = difflib.get_close_matches(name, boards, n=1, cutoff=0.5)
    raise UsageError(
        f"there is no board `{name}`",
        hint=f"did you mean `{near[0]}`? `tinyedge boards` lists all" if near else "`tinyedge boards` lists them",
    )


def list_boards() -> tuple[Board, ...]:
    """All boards, by name."""
    return tuple(board for name, board in sorted(_all_boards(boards_dir()).items()) if name == board.name)


@functools.cache
def _all_boards(folder: Path) -> dict[str, Board]:
    """Every board file of `folder` by name and by alias."""
    found: dict[str, Board] = {}
    for path in sorted(folder.glob("*.toml")):
        board = read_board(path)
        for name in (board.name, *board.aliases):
            if name in found:
                raise UsageError(f"boards `{found[name].name}` and `{board.name}` both claim the name `{name}`")
            found[name] = board
    return found


def read_board(path: Path) -> Board:
    """Read and check one board file. Raises: UsageError that names the file, the key and the rule it breaks."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"board file `{path.name}` cannot be read: {error}") from error
    try:
        return _board(path.stem, values)
    except _Broken as broken:
        raise UsageError(f"board file `{path.name}`: {broken}", hint="boards/nrf52840dk.toml shows every key") from None


class _Broken(Exception):  # noqa: N818 - a rule that is broken; read_board makes it an error
    """A rule of board files is broken; the text says which, without the file."""


def _board(name: str, values: Mapping[str, Any]) -> Board:
    _check_keys(values, _REQUIRED, _OPTIONAL, "")
    core = CORES.get(values["core"])
    if core is None:
        raise _Broken(f"`core` is `{values['core']}`; known are {', '.join(CORES)}")
    if not (templates_dir() / "bsp" / f"{values['family']}.c").is_file():
        raise _Broken(f"`family` is `{values['family']}`, but firmware_templates/bsp/{values['family']}.c is missing")
    if values["clock_hz"] <= 0:
        raise _Broken(f"`clock_hz` is {values['clock_hz']}, not above 0")
    memories = _memories(values.get("memory", {}), native=core.isa is Isa.NATIVE)
    if memories:
        flash = next(m for m in memories if m.name == "flash")
        if not flash.start <= values["flash_start"] < flash.end:
            raise _Broken(f"`flash_start` {values['flash_start']:#x} is outside flash {_span(flash)}")
    return Board(
        name=name,
        title=values["title"],
        aliases=_strings(values.get("aliases", []), "aliases"),
        chip=values["chip"],
        family=values["family"],
        core=core,
        clock_hz=values["clock_hz"],
        memories=memories,
        flash_start=values["flash_start"],
        console=_console(values["console"]),
        flashers=_strings(values["flashers"], "flashers"),
        flash_options=_string_table(values.get("flash_options", {}), "flash_options"),
        emulators=_strings(values["emulators"], "emulators"),
        usb_ids=tuple(_usb_id(text) for text in _strings(values["usb_ids"], "usb_ids")),
        sources=_string_table(values["sources"], "sources"),
        clock=_clock(values.get("clock", {})),
        emulator_options=_string_table(values.get("emulator_options", {}), "emulator_options"),
    )


def _check_keys(
    values: Mapping[str, Any], required: Mapping[str, type], optional: Mapping[str, type], table: str
) -> None:
    """Every required key is there, no unknown one is, and each value has its type."""
    known = {**required, **optional}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise _Broken(f"unknown key `{table}{key}`" + (f"; did you mean `{table}{near[0]}`?" if near else ""))
        if type(value) is not known[key]:
            raise _Broken(f"`{table}{key}` is {value!r}, not of type {known[key].__name__}")
    if missing := [key for key in required if key not in values]:
        raise _Broken(f"key `{table}{missing[0]}` is missing")


def _memories(tables: Mapping[str, Any], *, native: bool) -> tuple[Memory, ...]:
    memories = []
    for name, values in tables.items():
        if not isinstance(values, dict):
            raise _Broken(f"`memory.{name}` is {values!r}, not a table")
        _check_keys(values, {"start": int, "size_bytes": int}, {}, f"memory.{name}.")
        memory = Memory(name, values["start"], values["size_bytes"])
        if memory.start < 0 or memory.size_bytes <= 0 or memory.end > 1 << 32:
            raise _Broken(f"memory `{name}` {_span(memory)} does not fit 32 bits of address")
        memories.append(memory)
    if native and memories:
        raise _Broken("a native board has no [memory] of its own")
    if not native and not {"flash", "ram"} <= set(tables):
        raise _Broken("[memory.flash] and [memory.ram] are both needed")
    in_order = sorted(memories, key=lambda memory: memory.start)
    for low, high in itertools.pairwise(in_order):
        if low.end > high.start:
            raise _Broken(f"memories `{low.name}` {_span(low)} and `{high.name}` {_span(high)} overlap")
    return tuple(memories)


def _span(memory: Memory) -> str:
    return f"[{memory.start:#x}, {memory.end:#x})"


def _console(values: Mapping[str, Any]) -> dict[str, str | int]:
    kind = str(values.get("kind"))
    if kind not in CONSOLE_KEYS:
        raise _Broken(f"`console.kind` is `{kind}`; known are {', '.join(CONSOLE_KEYS)}")
    _check_keys(values, {"kind": str, **CONSOLE_KEYS[kind]}, {"wiring": str}, "console.")
    for key in ("tx_pin", "rx_pin"):
        if key in values:
            try:
                pin_port_and_number(values[key])
            except ValueError as error:
                raise _Broken(f"`console.{key}`: {error}; write it as P0.06, PA2 or GPIO16") from None
    return dict(values)


def _clock(values: Mapping[str, Any]) -> dict[str, str | int]:
    _check_keys(values, {}, CLOCK_KEYS, "clock.")
    if "source" in values and values["source"] not in CLOCK_SOURCES:
        raise _Broken(f"`clock.source` is `{values['source']}`; known are {', '.join(CLOCK_SOURCES)}")
    return dict(values)


def _strings(values: list[Any], key: str) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str):
            raise _Broken(f"`{key}` holds {value!r}, not a string")
    if len(set(values)) != len(values):
        raise _Broken(f"`{key}` holds a value twice")
    return tuple(values)


def _string_table(values: Mapping[str, Any], key: str) -> dict[str, str]:
    for name, value in values.items():
        if not isinstance(value, str):
            raise _Broken(f"`{key}.{name}` is {value!r}, not a string")
    return cast(dict[str, str], dict(values))


def _usb_id(text: str) -> tuple[int, int]:
    if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", text):
        raise _Broken(f"`usb_ids` holds `{text}`, not vendor:product as in `1366:1015`")
    vendor, product = text.split(":")
    return int(vendor, 16), int(product, 16)
