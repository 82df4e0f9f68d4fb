"""Boards: boards/<name>.toml read into frozen data and checked once.

Every number of a board file carries its source (data sheet and section) in its table `sources` or in a comment.
A board file that breaks a rule is refused with the rule, the key and the file; nothing later checks a board again.
"""

from __future__ import annotations

import enum
import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tinyedge.chip import Cache, Calibration, Energy
from tinyedge.errors import UsageError
from tinyedge.paths import boards_dir, templates_dir
from tinyedge.tables import TableError, near_name, nearest, read_table, read_toml


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
    """`kind` and the keys that CONSOLES has for it: base address, pins and baud rate, as the bsp file wants them"""
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
    """how `clock_hz` comes about, where the bsp file needs to know: ClockKeys"""
    emulator_options: dict[str, str] = field(default_factory=dict)
    """per emulator what it calls this board, e.g. `qemu = "mps2-an386"`"""
    caches: Mapping[str, Cache] = field(default_factory=dict)
    """in front of the flash: `code` and `data`, or one `shared`. Empty: misses are not counted. Without `data` or
    `shared`, each load from flash goes to it"""
    calibration: Calibration | None = None
    """None: nobody knows how long the core waits for its memory, so its cycles are no time"""
    energy: Energy | None = None

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


@dataclass(frozen=True, kw_only=True)
class ConsoleKeys:
    """[console] of a host, and what every kind of it can hold."""

    kind: str
    """a key of CONSOLES"""
    wiring: str | None = None
    """which pins to connect, for people, where no USB bridge is"""


@dataclass(frozen=True, kw_only=True)
class FixedUartKeys(ConsoleKeys):
    """Pins that cannot be chosen."""

    base: int
    baud: int


@dataclass(frozen=True, kw_only=True)
class UartKeys(FixedUartKeys):
    tx_pin: str
    rx_pin: str

    def __post_init__(self) -> None:
        for key, pin in (("tx_pin", self.tx_pin), ("rx_pin", self.rx_pin)):
            try:
                pin_port_and_number(pin)
            except ValueError as error:
                raise ValueError(f"`{key}`: {error}; write it as P0.06, PA2 or GPIO16") from None


@dataclass(frozen=True, kw_only=True)
class FunctionUartKeys(UartKeys):
    pin_function: int
    """alternate function (AF) of both pins"""


CONSOLES: Mapping[str, type[ConsoleKeys]] = {
    "stdio": ConsoleKeys,
    "uart": FixedUartKeys,
    "uarte": UartKeys,
    "pl011": UartKeys,
    "usart": FunctionUartKeys,
    "usart_f1": UartKeys,
}
"""What [console] holds, by its kind."""


@dataclass(frozen=True, kw_only=True)
class ClockKeys:
    """[clock]. A PLL makes source_hz / pll_m * pll_n / pll_p, in the chip's own terms."""

    source: Literal["crystal", "external", "internal"] | None = None
    """a crystal between two pins, a clock fed into one pin, an oscillator in the chip"""
    source_hz: int | None = None
    pll_m: int | None = None
    pll_n: int | None = None
    pll_p: int | None = None
    wait_states: int | None = None
    """of the flash at clock_hz"""
    counter_base: int | None = None
    """of a timer that counts clock_hz, where the core has no counter of its own"""


@dataclass(frozen=True, kw_only=True)
class _Region:
    """One table of [memory]."""

    start: int
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class _BoardFile:
    """What a board file holds. ConsoleKeys and ClockKeys say what [console] and [clock] do."""

    title: str
    aliases: tuple[str, ...] = ()
    chip: str
    family: str
    core: str
    clock_hz: int
    flash_start: int
    memory: dict[str, _Region] = field(default_factory=dict)
    console: dict[str, Any]
    clock: dict[str, Any] = field(default_factory=dict)
    flashers: tuple[str, ...]
    flash_options: dict[str, str] = field(default_factory=dict)
    emulators: tuple[str, ...]
    emulator_options: dict[str, str] = field(default_factory=dict)
    cache: dict[str, Cache] = field(default_factory=dict)
    calibration: Calibration | None = None
    energy: Energy | None = None
    usb_ids: tuple[str, ...]
    sources: dict[str, str]


_CACHES = ("code", "data", "shared")
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
    near = near_name(name, boards)
    raise UsageError(
        f"there is no board `{name}`",
        hint=f"did you mean `{near}`? `tinyedge boards` lists all" if near else "`tinyedge boards` lists them",
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
        return _board(path.stem, read_table(_BoardFile, read_toml(path)))
    except TableError as error:
        raise UsageError(f"board file `{path.name}`: {error}", hint="boards/nrf52840dk.toml shows every key") from None


def _board(name: str, values: _BoardFile) -> Board:
    """Raises: TableError that says which rule is broken."""
    read_table(ClockKeys, values.clock, "clock")
    core = CORES.get(values.core)
    if core is None:
        raise TableError(f"`core` is `{values.core}`; {nearest(values.core, CORES)}")
    if not (templates_dir() / "bsp" / f"{values.family}.c").is_file():
        raise TableError(f"`family` is `{values.family}`, but firmware_templates/bsp/{values.family}.c is missing")
    if values.clock_hz <= 0:
        raise TableError(f"`clock_hz` is {values.clock_hz}, not above 0")
    memories = _memories(values.memory, native=core.isa is Isa.NATIVE)
    if memories:
        flash = next(m for m in memories if m.name == "flash")
        if not flash.start <= values.flash_start < flash.end:
            raise TableError(f"`flash_start` {values.flash_start:#x} is outside flash {_span(flash)}")
    return Board(
        name=name,
        title=values.title,
        aliases=_distinct(values.aliases, "aliases"),
        chip=values.chip,
        family=values.family,
        core=core,
        clock_hz=values.clock_hz,
        memories=memories,
        flash_start=values.flash_start,
        console=_console(values.console),
        flashers=_distinct(values.flashers, "flashers"),
        flash_options=values.flash_options,
        emulators=_distinct(values.emulators, "emulators"),
        usb_ids=tuple(_usb_id(text) for text in _distinct(values.usb_ids, "usb_ids")),
        sources=values.sources,
        clock=values.clock,
        emulator_options=values.emulator_options,
        caches=_caches(values.cache, core),
        calibration=values.calibration,
        energy=values.energy,
    )


def _caches(caches: Mapping[str, Cache], core: Core) -> Mapping[str, Cache]:
    for name in caches:
        if name not in _CACHES:
            raise TableError(f"there is no cache `{name}`; {nearest(name, _CACHES)}")
    if caches and set(caches) not in ({"code"}, {"code", "data"}, {"shared"}):
        raise TableError("[cache] holds `code`, or `code` and `data`, or `shared`")
    if caches and core.name.startswith(("rv32", "native")):
        raise TableError(f"misses of caches are counted for Cortex-M alone; `core` is `{core.name}`")
    return caches


def _memories(regions: Mapping[str, _Region], *, native: bool) -> tuple[Memory, ...]:
    memories = tuple(Memory(name, region.start, region.size_bytes) for name, region in regions.items())
    for memory in memories:
        if memory.start < 0 or memory.size_bytes <= 0 or memory.end > 1 << 32:
            raise TableError(f"memory `{memory.name}` {_span(memory)} does not fit 32 bits of address")
    if native and memories:
        raise TableError("a native board has no [memory] of its own")
    if not native and not {"flash", "ram"} <= set(regions):
        raise TableError("[memory.flash] and [memory.ram] are both needed")
    in_order = sorted(memories, key=lambda memory: memory.start)
    for low, high in itertools.pairwise(in_order):
        if low.end > high.start:
            raise TableError(f"memories `{low.name}` {_span(low)} and `{high.name}` {_span(high)} overlap")
    return memories


def _span(memory: Memory) -> str:
    return f"[{memory.start:#x}, {memory.end:#x})"


def _console(values: Mapping[str, Any]) -> dict[str, str | int]:
    kind = values.get("kind")
    if kind is None:
        raise TableError("key `console.kind` is missing")
    if kind not in CONSOLES:
        raise TableError(f"`console.kind` is `{kind}`; {nearest(str(kind), CONSOLES)}")
    read_table(CONSOLES[kind], values, "console")
    return dict(values)


def _distinct(values: tuple[str, ...], key: str) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise TableError(f"`{key}` holds a value twice")
    return values


def _usb_id(text: str) -> tuple[int, int]:
    if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", text):
        raise TableError(f"`usb_ids` holds `{text}`, not vendor:product as in `1366:1015`")
    vendor, product = text.split(":")
    return int(vendor, 16), int(product, 16)
