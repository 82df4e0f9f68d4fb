"""The commands of every tool, word by word. A new tool is a row here."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from kits.flash_boards import TOOLS, board, image, without_option
from tinyedge.errors import UsageError
from tinyedge.flash import FLASHERS, flasher

COMMANDS = [
    (
        "pyocd",
        "",
        [
            "pyocd load --no-wait --target nrf52840 --no-reset /build/firmware.hex",
            "pyocd commander --no-wait --target nrf52840 --command 'compare 0x27000 \"/build/firmware.bin\"' "
            "--command reset",
        ],
    ),
    (
        "pyocd",
        "683001",
        [
            "pyocd load --no-wait --target nrf52840 --uid 683001 --no-reset /build/firmware.hex",
            "pyocd commander --no-wait --target nrf52840 --uid 683001 "
            "--command 'compare 0x27000 \"/build/firmware.bin\"' --command reset",
        ],
    ),
    (
        "openocd",
        "",
        [
            "openocd --file interface/jlink.cfg --command 'transport select swd' --file target/nrf52.cfg "
            "--command 'program {/build/firmware.hex} verify reset exit'"
        ],
    ),
    (
        "openocd",
        "0123",
        [
            "openocd --file interface/jlink.cfg --command 'transport select swd' --file target/nrf52.cfg "
            "--command 'adapter serial {0123}' --command 'program {/build/firmware.hex} verify reset exit'"
        ],
    ),
    (
        "probe-rs",
        "1366:1015:683001",
        [
            "probe-rs download --chip nRF52840_xxAA --probe 1366:1015:683001 --verify --disable-progressbars "
            "/build/firmware.elf",
            "probe-rs reset --chip nRF52840_xxAA --probe 1366:1015:683001",
        ],
    ),
    (
        "jlink",
        "683001",
        [
            f"{'JLink.exe' if sys.platform == 'win32' else 'JLinkExe'} -USB 683001 -nogui 1 -device nRF52840_xxAA -if "
            "SWD -speed 4000 -autoconnect 1 -CommandFile /build/flash.jlink"
        ],
    ),
    (
        "esptool",
        "/dev/ttyUSB0",
        [
            "esptool --chip esp32c3 --port /dev/ttyUSB0 --baud 460800 --after hard-reset "
            "write-flash --no-progress 0x0 /build/firmware.bin"
        ],
    ),
    (
        "nrfutil",
        "/dev/ttyACM0",
        [
            "adafruit-nrfutil dfu genpkg --dev-type 0x0052 --application /build/firmware.hex /build/firmware.zip",
            "adafruit-nrfutil dfu serial --package /build/firmware.zip --port /dev/ttyACM0 --baudrate 115200 "
            "--singlebank",
        ],
    ),
    ("bossac", "/dev/ttyACM0", ["bossac --port=ttyACM0 -U -i -e -w -v /build/firmware.bin -R"]),
    ("st-flash", "", ["st-flash --reset --format ihex write /build/firmware.hex"]),
    ("st-flash", "0669FF", ["st-flash --reset --serial 0669FF --format ihex write /build/firmware.hex"]),
    (
        "gdb",
        "/dev/ttyBmpGdb",
        ["gdb-multiarch --nx --batch --command=/build/flash.gdb /build/firmware.elf"],
    ),
    ("uf2", "", []),
]


@pytest.mark.parametrize(("tool", "probe", "expected"), COMMANDS)
def test_commands(tool: str, probe: str, expected: list[str]) -> None:
    commands = flasher(tool).commands(image(), board(), probe)
    assert commands == [shlex.split(line) for line in expected]


def test_the_table_has_every_tool() -> None:
    assert {tool for tool, _, _ in COMMANDS} == set(TOOLS) == set(FLASHERS)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_is_pure_and_named_as_registered(tool: str, tmp_path: Path) -> None:
    one = flasher(tool)
    assert one.name == tool
    first = one.describe(image(tmp_path), board(), "P")
    assert first == one.describe(image(tmp_path), board(), "P") != []
    assert list(tmp_path.iterdir()) == []


def test_board_files_of_openocd_bring_their_own_transport() -> None:
    (command,) = flasher("openocd").commands(image(), board(openocd="board/st_nucleo_f4.cfg"), "")
    assert command[:3] == ["openocd", "--file", "board/st_nucleo_f4.cfg"]
    assert "transport select swd" not in command
    (command,) = flasher("openocd").commands(image(), board(openocd="interface/stlink.cfg target/stm32f4x.cfg"), "")
    assert "transport select swd" not in command
    riscv = board("rv32imc", openocd="interface/jlink.cfg target/fe310.cfg")
    (command,) = flasher("openocd").commands(image(), riscv, "")
    assert "transport select swd" not in command


def test_a_risc_v_board_is_flashed_over_jtag_by_jlink() -> None:
    (command,) = flasher("jlink").commands(image(), board("rv32imc", jlink="FE310"), "")
    assert command[3:10] == ["-device", "FE310", "-if", "JTAG", "-jtagconf", "-1,-1", "-speed"]


def test_an_offset_in_the_flash_chip() -> None:
    (command,) = flasher("esptool").commands(image(), board(esptool_offset="0x10000"), "COM3")
    assert command[-2:] == ["0x10000", "/build/firmware.bin"]


def test_the_script_of_jlink() -> None:
    (script,) = flasher("jlink").files(image(), board(), "").values()
    assert script.splitlines() == [
        "ExitOnError 1",
        "r",
        "loadfile /build/firmware.hex",
        "verifybin /build/firmware.bin, 0x27000",
        "r",
        "g",
        "q",
    ]
    (script,) = flasher("jlink").files(image(Path("/my nets")), board(), "").values()
    assert 'loadfile "/my nets/firmware.hex"' in script


@pytest.mark.parametrize(
    ("kind", "attach", "release"),
    [
        ("black-magic-probe", ["monitor swdp_scan", "attach 1"], ["kill"]),
        ("qemu", [], ["monitor system_reset", "detach"]),
    ],
)
def test_the_script_of_gdb(kind: str, attach: list[str], release: list[str]) -> None:
    (script,) = flasher("gdb").files(image(), board(gdb=kind), "/dev/ttyBmpGdb").values()
    lines = script.splitlines()
    start = lines.index("target extended-remote /dev/ttyBmpGdb") + 1
    assert lines[start : start + len(attach)] == attach
    end = lines.index("compare-sections")
    assert lines[end - 1] == "load"
    assert lines[end + 2 :] == release


def test_a_gdb_server_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="`gdb` of board `test_board` is `other`; known are black-magic-probe, qemu"):
        flasher("gdb").files(image(), board(gdb="other"), "x")


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool not in ("uf2", "st-flash", "bossac", "nrfutil")])
def test_a_board_file_that_lacks_the_option_is_named(tool: str) -> None:
    with pytest.raises(UsageError, match=f"board `test_board` has no `{tool}` in \\[flash_options\\]") as caught:
        flasher(tool).describe(image(), without_option(board(), tool), "P")
    assert "boards/test_board.toml" in caught.value.hint


@pytest.mark.parametrize("key", ["uf2_family", "uf2_board"])
def test_uf2_needs_both_ids(key: str) -> None:
    with pytest.raises(UsageError, match=f"no `{key}`"):
        flasher("uf2").commands(image(), without_option(board(), key), "")
