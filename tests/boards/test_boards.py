"""Board files: what they say, and what the loader refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyedge.boards import Isa, list_boards, load_board, read_board
from tinyedge.errors import UsageError

GOOD = """\
title = "A board"
aliases = ["other"]
chip = "nRF52840"
family = "nrf52"
core = "cortex-m4f"
clock_hz = 64_000_000
flash_start = 0x1000
flashers = ["pyocd"]
emulators = []
usb_ids = ["1366:1015"]
[memory.flash]
start = 0x0
size_bytes = 0x10000
[memory.ram]
start = 0x20000000
size_bytes = 0x4000
[console]
kind = "uarte"
base = 0x40002000
baud = 115200
tx_pin = "P0.06"
rx_pin = "P1.10"
[clock]
source = "crystal"
source_hz = 32_000_000
[flash_options]
pyocd = "nrf52840"
[sources]
memory = "data sheet, 4.2"
"""


def read(folder: Path, text: str) -> UsageError | None:
    """Read a board file of that text; the error, or None when it is good."""
    path = folder / "a_board.toml"
    path.write_text(text)
    try:
        read_board(path)
    except UsageError as error:
        return error
    return None


def test_every_board_file_is_good_and_short(root: Path) -> None:
    boards = list_boards()
    assert [board.name for board in boards] == sorted(path.stem for path in (root / "boards").glob("*.toml"))
    assert {"arduino_nano_33_ble", "host", "nrf52840dk"} <= {board.name for board in boards}
    for board in boards:
        silicon = (14 if board.caches else 0) + (7 if board.energy else 0)  # [cache], [calibration], [energy]
        assert len((root / "boards" / f"{board.name}.toml").read_text().splitlines()) < 40 + silicon
        assert board.sources, board.name


def test_an_alias_names_the_same_board() -> None:
    assert load_board("nrf52840") == load_board("nrf52840dk")


def test_what_the_files_say() -> None:
    board = load_board("nrf52840dk")
    assert (board.flash.start, board.flash.size_bytes, board.ram.start, board.ram.size_bytes) == (
        0,
        1024 * 1024,
        0x20000000,
        256 * 1024,
    )
    assert (board.core.isa, board.core.fpu, board.clock_hz) == (Isa.ARMV7EM, "fpv4-sp-d16", 64_000_000)
    nano = load_board("arduino_nano_33_ble")
    assert nano.flash_start == 0x10000
    assert nano.flash_limit_bytes == 1024 * 1024 - 0x10000
    assert "wiring" in nano.console
    host = load_board("host")
    assert host.memories == ()
    assert host.flash_limit_bytes == 0
    with pytest.raises(KeyError):
        _ = host.ram


@pytest.mark.parametrize(
    ("name", "hint"), [("nrf52480", "did you mean `nrf52840`?"), ("arduino_nano33_ble", "`arduino_nano_33_ble`")]
)
def test_the_nearest_name_is_offered(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"there is no board `{name}`") as raised:
        load_board(name)
    assert hint in raised.value.hint
    assert raised.value.exit_code == 2


def test_no_name_is_offered_when_none_is_near() -> None:
    with pytest.raises(UsageError) as raised:
        load_board("zzz")
    assert "did you mean" not in raised.value.hint


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a_board.toml"
    path.write_text(GOOD)
    board = read_board(path)
    assert (board.name, board.aliases, board.usb_ids) == ("a_board", ("other",), ((0x1366, 0x1015),))
    assert board.flash_limit_bytes == 0xF000
    assert board.console["tx_pin"] == "P0.06"
    assert board.clock == {"source": "crystal", "source_hz": 32_000_000}


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("clock_hz =", "clock_mhz = 64\nclock_hz =", "unknown key `clock_mhz`; did you mean `clock_hz`?"),
        ("clock_hz = 64_000_000\n", "", "key `clock_hz` is missing"),
        ("clock_hz = 64_000_000", 'clock_hz = "fast"', "`clock_hz` is 'fast', not of type int"),
        ("clock_hz = 64_000_000", "clock_hz = true", "`clock_hz` is True, not of type int"),
        ("clock_hz = 64_000_000", "clock_hz = 0", "`clock_hz` is 0"),
        ("size_bytes = 0x4000", "size_bytes = 0x4000\nspeed = 1", "unknown key `memory.ram.speed`"),
        ("size_bytes = 0x4000", "size_bytes = 4.5", "`memory.ram.size_bytes` is 4.5"),
        ("size_bytes = 0x4000", "size_bytes = 0", "memory `ram`"),
        (
            "[memory.ram]\nstart = 0x20000000\nsize_bytes = 0x4000",
            "[memory]\nram = 4",
            "`memory.ram` is 4, not a table",
        ),
        ('aliases = ["other"]', 'aliases = "other"', "`aliases` is 'other', not a list"),
        ("start = 0x20000000", "start = 0x8000", "`flash` [0x0, 0x10000) and `ram` [0x8000, 0xc000) overlap"),
        ("[memory.ram]", "[memory.sram]", "[memory.flash] and [memory.ram] are both needed"),
        ("flash_start = 0x1000", "flash_start = 0x10000", "`flash_start` 0x10000 is outside flash [0x0, 0x10000)"),
        ('core = "cortex-m4f"', 'core = "cortex-m4"', "`core` is `cortex-m4`; did you mean `cortex-m4f`?"),
        ('family = "nrf52"', 'family = "nrf99"', "`family` is `nrf99`"),
        ('kind = "uarte"', 'kind = "usb"', "`console.kind` is `usb`; known are `stdio`, `uart`,"),
        ('kind = "uarte"\n', "", "key `console.kind` is missing"),
        ("baud = 115200", "speed = 115200", "unknown key `console.speed`"),
        ("source_hz = 32_000_000", "source_hz = 32_000_000\npll_x = 4", "unknown key `clock.pll_x`; did you mean"),
        ("source_hz = 32_000_000", 'source_hz = "32 MHz"', "`clock.source_hz` is '32 MHz', not of type int"),
        (
            'source = "crystal"',
            'source = "quartz"',
            "`clock.source` is 'quartz'; known are `crystal`, `external`, `internal`",
        ),
        ('tx_pin = "P0.06"', 'tx_pin = "6"', "in `console`: `tx_pin`: `6` is no pin"),
        ('usb_ids = ["1366:1015"]', 'usb_ids = ["0x1366:1015"]', "`usb_ids` holds `0x1366:1015`"),
        ('flashers = ["pyocd"]', "flashers = [1]", "`flashers[1]` is 1, not of type str"),
        ('flashers = ["pyocd"]', 'flashers = ["pyocd", "pyocd"]', "`flashers` holds a value twice"),
        ('memory = "data sheet, 4.2"', "memory = 4", "`sources.memory` is 4, not of type str"),
        ('title = "A board"', 'title = "A board', "cannot be read"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(tmp_path: Path, old: str, new: str, text: str) -> None:
    assert old in GOOD
    error = read(tmp_path, GOOD.replace(old, new, 1))
    assert error is not None
    assert text in str(error)
    assert "`a_board.toml`" in str(error)


def test_two_boards_cannot_share_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.toml").write_text(GOOD)
    (tmp_path / "two.toml").write_text(GOOD)
    monkeypatch.setattr("tinyedge.boards.boards_dir", lambda: tmp_path)
    with pytest.raises(UsageError, match="boards `one` and `two` both claim the name `other`"):
        list_boards()


def board_text(root: Path, memory: str) -> str:
    """nrf52840dk.toml with other tables [cache] and [calibration]."""
    text = (root / "boards" / "nrf52840dk.toml").read_text()
    return text[: text.index("[cache]")] + memory + text[text.index("[flash_options]") :]


@pytest.mark.parametrize(
    ("memory", "message"),
    [
        ("[cache]\ncode = { size_bytes = 100, ways = 2, line_bytes = 16 }\n", "no multiple of 2 ways of 16 B"),
        ("[cache]\ncode = { size_bytes = 96, ways = 2, line_bytes = 24 }\n", "no power of 2"),
        ("[cache]\ncode = { size_bytes = 256, ways = 2, line_bytes = 16, sector_bytes = 32 }\n", "sectors of 32 B"),
        ("[cache]\ndata = { size_bytes = 256, ways = 2, line_bytes = 16 }\n", "holds `code`, or `code` and `data`"),
        ("[cache]\ncod = { size_bytes = 256, ways = 2, line_bytes = 16 }\n", "did you mean `code`"),
        ('[calibration]\nconditions = ""\nsource = ""\n', "either `error_percent` or `code_line_cycles`"),
        ('[calibration]\ncode_miss_cycles = -1\nerror_percent = 1\nconditions = ""\nsource = ""\n', "below 0"),
    ],
)
def test_a_memory_that_cannot_be_is_refused(root: Path, tmp_path: Path, memory: str, message: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(board_text(root, memory))
    with pytest.raises(UsageError, match=message):
        read_board(path)


def test_a_cache_has_lines_and_sectors(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(board_text(root, "[cache]\nshared = { size_bytes = 8_192, ways = 2, line_bytes = 16 }\n"))
    cache = read_board(path).caches["shared"]
    assert (cache.lines, cache.fetched_bytes) == (512, 16)
