"""What tools say when they fail, what was touched then, and the cure. A new saying is a row here."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from kits.flash_boards import TOOLS, board, image
from kits.processes import make_program
from tinyedge.flash import flasher, way_without_probe
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import FlashError
from tinyedge.flash.words import Reach, Saying, hint_of, reach_of

UNREACHED, STOPPED, PART = "did not reach the board", "stopped before it wrote", "may be written in part"
ESPTOOL_ERROR = "esptool v5.6.0\nA fatal error occurred: "

CASES = [
    (
        "esptool",
        f"{ESPTOOL_ERROR}Failed to connect to ESP32-C3: Wrong boot mode detected (0x1)! The chip needs to be in "
        "download mode.",
        UNREACHED,
        "BOOT button",
    ),
    ("esptool", f"{ESPTOOL_ERROR}Failed to connect to ESP32-C3: No serial data received.", UNREACHED, "BOOT button"),
    (
        "esptool",
        f"{ESPTOOL_ERROR}Failed to connect to ESP32-C3: Download mode successfully detected, but getting no sync "
        "reply: The serial TX path seems to be down.",
        UNREACHED,
        "TX of the adapter",
    ),
    (
        "esptool",
        "Connected to ESP32-C3 on /dev/ttyUSB0:\nWarning: Failed to communicate with the flash chip, read/write "
        "operations will fail.\nA fatal error occurred: Could not detect flash size",
        STOPPED,
        "flash pins",
    ),
    (
        "esptool",
        f"{ESPTOOL_ERROR}This chip is ESP32-C6, not ESP32-C3. Wrong chip argument?",
        STOPPED,
        "another than board `test_board` has (`esp32c3`)",
    ),
    (
        "esptool",
        f"{ESPTOOL_ERROR}Failed to connect to ESP32-C3: Invalid head of packet (0x45): Possible serial noise or "
        "corruption.",
        UNREACHED,
        "something else speaks",
    ),
    (
        "esptool",
        f"{ESPTOOL_ERROR}Could not open /dev/ttyUSB0, the port is busy or doesn't exist.\n([Errno 13] could not open "
        "port /dev/ttyUSB0: [Errno 13] Permission denied: '/dev/ttyUSB0')",
        UNREACHED,
        "dialout",
    ),
    (
        "esptool",
        f"{ESPTOOL_ERROR}Could not open /dev/ttyUSB9, the port is busy or doesn't exist.\n([Errno 2] could not open "
        "port /dev/ttyUSB9: No such file or directory)",
        UNREACHED,
        "is `P` the board's port",
    ),
    (
        "esptool",
        "Connected to ESP32-C3\nWriting at 0x00004000... (12 %)\nserial.SerialTimeoutException: Write timeout",
        PART,
        "another USB cable",
    ),
    ("pyocd", "0000581 C SWD/JTAG communication failure (No ACK) [__main__]", UNREACHED, "has power"),
    (
        "pyocd",
        "0000700 W nRF52840 APPROTECT enabled: not automatically unlocking [target_nRF52]\n"
        "0000710 C Memory transfer fault @ 0xe000ed00-0xe000ed03 [__main__]",
        STOPPED,
        "`pyocd erase --mass --target nrf52840` unlocks it",
    ),
    (
        "pyocd",
        "0000700 W nRF52840 APPROTECT enabled: will try to unlock via mass erase [target_nRF52]\n"
        "0000710 E SWD/JTAG communication failure (No ACK)",
        PART,
        "unlocks it",
    ),
    ("pyocd", "[---|---|----]\n[=====\n0000900 C SWD/JTAG communication failure (No ACK)", PART, "has power"),
    ("pyocd", "usb.core.USBError: [Errno 13] Access denied (insufficient permissions)", UNREACHED, "udev"),
    (
        "openocd",
        "Error: Could not find MEM-AP to control the core\nThe device has AP lock engaged (see UICR APPROTECT "
        "register).\nUse 'nrf52_recover' to erase and unlock the device.",
        STOPPED,
        "--file interface/jlink.cfg --file target/nrf52.cfg --command 'init; nrf52_recover; exit'",
    ),
    (
        "openocd",
        "Error: libusb_open() failed with LIBUSB_ERROR_ACCESS\nError: unable to open CMSIS-DAP device 0xd28:0x204",
        UNREACHED,
        "udev",
    ),
    ("openocd", "Error: libusb_claim_interface() failed with LIBUSB_ERROR_BUSY", UNREACHED, "another program"),
    ("openocd", "Warn : UNEXPECTED idcode: 0x2ba01477", STOPPED, "is this the right board"),
    ("openocd", "something that no one has seen", UNREACHED, "check cable, power and probe"),
    ("openocd", "** Programming Started **\nError: device is write protected", PART, "protected"),
    ("probe-rs", "Error: The debug probe could not be opened: Permission denied (os error 13)", UNREACHED, "udev"),
    ("probe-rs", "Error: Core is locked. Use --allow-erase-all", STOPPED, "`probe-rs erase --chip nRF52840_xxAA"),
    ("jlink", "Connecting to J-Link via USB...O.K.\nCannot connect to target.", UNREACHED, "has power"),
    ("jlink", "Device is secured (APPROTECT)", STOPPED, "unlock"),
    ("bossac", "Device unsupported", STOPPED, "Arduino's build"),
    ("bossac", "No device found on ttyACM0", UNREACHED, "reset button twice"),
    ("bossac", "Erase flash\nDone in 1.2 seconds\nWrite 20088 bytes to flash\nSAM-BA operation failed", PART, "reset"),
    ("st-flash", "WARN usb.c: Couldn't find any ST-Link devices", UNREACHED, "`st-info --probe`"),
    ("st-flash", "ERROR common.c: Failed to connect to target", UNREACHED, "reset button"),
    ("gdb", "localhost:1234: Connection refused.", UNREACHED, "no gdb server answers at `P`"),
    ("gdb", "tinyedge: attached\nLoad failed", PART, "check cable, power and probe"),
]


@pytest.mark.parametrize(("tool", "said", "touched", "cure"), CASES)
def test_what_was_touched_and_the_cure(
    tool: str, said: str, touched: str, cure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "said").write_text(f"{said}\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    make_program(tmp_path, flasher(tool).commands(image(), board(), "P")[0][0], f"cat {tmp_path}/said; exit 1")
    with pytest.raises(FlashError) as caught:
        flasher(tool).write(image(tmp_path), board(), "P", 20.0)
    last = caught.value.what.splitlines()[-1]
    assert touched in last
    assert ("nothing was touched" in last) is (touched != PART)
    assert caught.value.reached is (touched != UNREACHED)
    assert cure in caught.value.hint


@pytest.mark.parametrize("tool", [tool for tool in TOOLS if tool != "uf2"])
def test_tables_are_well_formed(tool: str) -> None:
    one = flasher(tool)
    assert isinstance(one, CommandFlasher)
    assert Reach.FLASH in {row.reach for row in one.sayings}, "how is it known that it writes?"
    for row in one.sayings:
        re.compile(row.words)
        assert "{" not in row.hint.format(option="O", probe="P", board="B")  # raises for a name that is not filled in
        assert row.hint or row.reach is not None


def test_who_writes_has_reached_the_chip_whatever_else_is_said() -> None:
    table = (Saying("gone", Reach.NOWHERE, "look"), Saying("writing", Reach.FLASH))
    assert reach_of(table, "writing\ngone") is Reach.FLASH
    assert reach_of(table, "gone") is Reach.NOWHERE
    assert reach_of(table, "quiet") is None
    assert hint_of(table, "writing\ngone") == "look"


def test_a_board_without_a_probe_has_another_way() -> None:
    carried = dataclasses.replace(board(), flashers=("pyocd", "uf2"))
    bare = dataclasses.replace(board(), flashers=("uf2", "pyocd"))
    assert way_without_probe(carried, flasher("pyocd")) == ""
    assert way_without_probe(bare, flasher("uf2")) == ""
    way = way_without_probe(bare, flasher("pyocd"))
    assert way == "board `test_board` has no debug probe of its own, and `--tool uf2` needs none"


def test_a_missing_tool_of_a_board_without_a_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bare = dataclasses.replace(board(), flashers=("bossac", "pyocd"))
    assert "`bossac` needs none: `apt-get install bossa-cli`" in way_without_probe(bare, flasher("pyocd"))
