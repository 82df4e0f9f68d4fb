"""What Renode is given: platforms with the board's own memories, clocks that become ready, scripts."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kits.tiny_firmware import make_board
from tinyedge.boards import CORES, Board, Memory, list_boards, load_board
from tinyedge.emulate.renode.host import RenodeEmulator
from tinyedge.emulate.renode.platform import (
    STARTED,
    has_platform,
    monitor_path,
    performance_in_mips,
    platform_text,
    script_text,
    template_name,
)
from tinyedge.paths import renode_dir

BOARDS = tuple(board for board in list_boards() if has_platform(board))
KINDS = {path.name.removesuffix(".repl.j2") for path in renode_dir().glob("*.repl.j2")}


def a_board(kind: str) -> Board:
    """A board of that kind: a real one, or one made up where no board file exists."""
    real = next((board for board in BOARDS if template_name(board) == f"{kind}.repl.j2"), None)
    console: dict[str, str | int] = {"kind": "uart", "base": 0x1001_3000, "baud": 115_200}
    return real or dataclasses.replace(make_board("rv32imac"), family=kind, console=console)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_platform_has_the_boards_memories_and_nothing_from_the_web(kind: str) -> None:
    board = a_board(kind)
    text = platform_text(board)
    found = re.findall(r"^(\w+): Memory\.MappedMemory @ sysbus (0x[0-9a-f]+)\n    size: (0x[0-9a-f]+)$", text, re.M)
    assert tuple(Memory(name, int(start, 16), int(size, 16)) for name, start, size in found) == board.memories
    assert text.count("Memory.") == len(board.memories)
    for forbidden in ("http", "ApplySVD", "using", "{{", "{%", "%%", "Undefined"):
        assert forbidden not in text
    assert len(re.findall(r"^uart: UART\.\w+ @ sysbus <?0x[0-9a-f]+", text, re.M)) == 1
    assert f"{board.console['base']:#x}" in text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_entry_of_a_platform_is_well_formed(kind: str) -> None:
    """Names are unique, what is referred to exists, attributes are indented by four."""
    text = re.sub(r"'''.*?'''", '"script"', platform_text(a_board(kind)), flags=re.DOTALL)
    names = re.findall(r"^(\w+): \w+\.\w+ @ sysbus", text, re.M)
    assert len(set(names)) == len(names)
    for name in re.findall(r"(?:nvic|timeProvider): (\w+)$|-> (\w+)@", text, re.M):
        assert (name[0] or name[1]) in names
    entry = r"\w+: \w+\.\w+ @ sysbus( 0x\w+| <0x\w+, \+0x\w+>)?|sysbus:|    \S.*|        \S.*|"
    assert [line for line in text.splitlines() if not re.fullmatch(entry, line)] == []


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_one_instruction_is_one_tick(board: Board) -> None:
    text = platform_text(board)
    assert RenodeEmulator(board).counting.ticks_per_instruction == 1
    mips = performance_in_mips(board)
    assert f"PerformanceInMips: {mips}\n" in text
    if board.core.name.startswith("cortex-m"):
        assert f"dwt: Miscellaneous.DWT @ sysbus 0xE0001000\n    frequency: {mips}000000\n" in text
        assert f"systickFrequency: {mips}000000\n" in text


@pytest.mark.parametrize("clock_mhz", [0.032768, 1, 12.288, 16, 64, 72, 168, 216, 400, 1000, 1200])
def test_an_instruction_lasts_whole_nanoseconds(clock_mhz: float) -> None:
    """Readings of a counter, as Renode takes them: virtual time cut to nanoseconds, then to ticks."""
    board = dataclasses.replace(load_board("nrf52840dk"), clock_hz=int(clock_mhz * 1_000_000))
    mips = performance_in_mips(board)
    assert mips <= max(clock_mhz, 1)
    assert math.gcd(mips, 1000) == mips, "off by up to mips / gcd(mips, 1000)"
    for instructions in (0, 1, 2, 3, 999, 1_000_003, 180_123_457):
        nanoseconds = instructions * 1000 // mips
        assert nanoseconds * mips // 1000 == instructions


def peripheral(text: str, name: str) -> Any:
    """(read, write) of a register file in a platform, run as Renode runs it: one scope, one request at a time."""
    match = re.search(rf"^{name}: Python\.PythonPeripheral @ sysbus (\S+)\n.*?script: '''\n(.*?)'''", text, re.M | re.S)
    assert match is not None
    scope: dict[str, Any] = {}

    def ask(offset: int, value: int, kind: str) -> int:
        request = SimpleNamespace(
            Offset=offset, Value=value, IsInit=kind == "init", IsRead=kind == "read", IsWrite=kind == "write"
        )
        scope["request"] = request
        exec(match[2], scope)
        return int(request.Value)

    ask(0, 0, "init")
    return (lambda offset: ask(offset, 0, "read")), (lambda offset, value: ask(offset, value, "write"))


@pytest.mark.parametrize(
    ("kind", "name", "written", "register", "ready"),
    [
        ("stm32f1", "rcc", {0: 1 << 16}, 0, 1 << 17),  # HSEON -> HSERDY
        ("stm32f1", "rcc", {0: 1 << 24}, 0, 1 << 25),  # PLLON -> PLLRDY
        ("stm32f1", "rcc", {4: 2}, 4, 2 << 2),  # SW -> SWS
        ("stm32f4", "rcc", {0: 1 << 16}, 0, 1 << 17),
        ("stm32f4", "rcc", {0: 1 << 24}, 0, 1 << 25),
        ("stm32f4", "rcc", {8: 2}, 8, 2 << 2),
        ("stm32f4", "pwr", {0: 1 << 16}, 4, 1 << 16),  # ODEN -> ODRDY
        ("stm32f7", "rcc", {8: 2}, 8, 2 << 2),
        ("stm32f7", "pwr", {0: 1 << 16}, 4, 1 << 16),
        ("stm32f7", "pwr", {0: 3 << 16}, 4, 3 << 16),  # ODSWEN -> ODSWRDY
        ("stm32h7", "rcc", {0: 1 << 16}, 0, 1 << 17),
        ("stm32h7", "rcc", {0: 1 << 24}, 0, 1 << 25),
        ("stm32h7", "rcc", {0x10: 3}, 0x10, 3 << 3),
        ("stm32h7", "pwr", {}, 0x18, 1 << 13),  # VOSRDY
        ("stm32h7", "pwr", {}, 4, 1 << 13),  # ACTVOSRDY
        ("sifive", "prci", {0: 1 << 30}, 0, 1 << 31),  # the ring oscillator
        ("sifive", "prci", {4: 1 << 30}, 4, 1 << 31),  # the crystal
        ("sifive", "prci", {}, 8, 1 << 31),  # the PLL's lock
    ],
)
def test_clocks_become_ready(kind: str, name: str, written: dict[int, int], register: int, ready: int) -> None:
    read, write = peripheral(platform_text(a_board(kind)), name)
    if written:
        assert read(register) & ready == 0
    for offset, value in written.items():
        write(offset, value)
        assert read(offset) & value == value
    assert read(register) & ready == ready
    for offset in written:
        write(offset, 0)
        assert read(register) & ready == 0


def test_the_script_starts_last_and_opens_no_socket(tmp_path: Path) -> None:
    board = load_board("arduino_nano_33_ble")
    lines = script_text(board, tmp_path / "a b.repl", Path("/tmp/firmware.elf"), tmp_path / "line").splitlines()
    commands = [line for line in lines if not line.startswith("#")]
    assert "machine LoadPlatformDescription @" + monitor_path(tmp_path / "a b.repl") in commands
    assert monitor_path(tmp_path / "a b.repl").endswith("/a\\ b.repl")
    assert "cpu VectorTableOffset 0x10000" in commands
    assert commands[-4:] == [
        f'emulation CreateUartPtyTerminal "te_serial" "{tmp_path}/line"',
        "connector Connect sysbus.uart te_serial",
        "start",
        f'log "{STARTED}"',
    ]


def test_a_core_without_vector_table_gets_none() -> None:
    board = dataclasses.replace(make_board("rv32imac"), family="sifive")
    assert "VectorTableOffset" not in script_text(board, Path("/p"), Path("/e"), Path("/l"))


def test_a_board_file_may_name_another_platform() -> None:
    board = load_board("nrf52840dk")
    assert template_name(board) == "nrf52.repl.j2"
    other = dataclasses.replace(board, emulator_options={"renode": "no_such"})
    assert RenodeEmulator().supports(board) == ""
    assert "there is no renode/no_such.repl.j2" in RenodeEmulator().supports(other)


@pytest.mark.parametrize("core", [name for name in CORES if name.startswith("cortex-m")])
def test_every_core_has_a_name_in_renode(core: str) -> None:
    text = platform_text(dataclasses.replace(load_board("nrf52840dk"), core=CORES[core]))
    (name,) = re.findall(r'cpuType: "(.*)"', text)
    assert name.replace("0+", "0plus") in (core, core.removesuffix("f"))
