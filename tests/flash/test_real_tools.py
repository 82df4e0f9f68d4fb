"""The real programs, where they are installed and no board is: they take the commands, and touch nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kits.flash_boards import board, image
from tinyedge.artifacts import Image
from tinyedge.build.elf import Segment
from tinyedge.build.formats import to_binary, to_intel_hex
from tinyedge.flash import flasher
from tinyedge.flash.contract import FlashError

pytestmark = pytest.mark.toolchain
CODE = [Segment(0x2_7000, bytes(range(256)))]


@pytest.fixture
def files(tmp_path: Path) -> Image:
    """An image whose .hex and .bin exist."""
    made = image(tmp_path / "a folder")
    made.elf.parent.mkdir()
    made.elf.with_suffix(".hex").write_text(to_intel_hex(CODE, 0x2_7000))
    made.elf.with_suffix(".bin").write_bytes(to_binary(CODE))
    return made


@pytest.mark.parametrize(
    ("tool", "probe", "words"),
    [
        ("pyocd", "no-such-probe", "No connected debug probe matches unique ID 'no-such-probe'"),
        ("openocd", "no-such-adapter", "** OpenOCD init failed **"),
        ("st-flash", "00", "Couldn't find any ST-Link devices"),
        ("esptool", "/dev/no-such-port", "Could not open /dev/no-such-port"),
        ("bossac", "/dev/no-such-port", "No device found on no-such-port"),
        ("probe-rs", "dead:beef:no-such-probe", ""),
    ],
)
def test_without_a_board_nothing_is_touched(tool: str, probe: str, words: str, files: Image) -> None:
    one = flasher(tool)
    availability = one.available()
    if not availability.version:
        pytest.skip(f"no {tool}: {availability.install}")
    assert availability.version[0].isdecimal(), availability
    with pytest.raises(FlashError) as caught:
        one.write(files, board(), probe, 60.0)
    assert words in caught.value.what
    assert caught.value.what.splitlines()[-1].strip() == f"nothing was touched: `{tool}` did not reach the board"


def test_openocd_without_an_adapter_ends_well_and_is_not_believed(files: Image) -> None:
    """It ends with exit code 0 though it could not even start, which is why its words are looked for."""
    one = flasher("openocd")
    if not one.available().version:
        pytest.skip(f"no OpenOCD: {one.available().install}")
    with pytest.raises(FlashError, match=r"did not say `\*\* Verified OK \*\*`") as caught:
        one.write(files, board(openocd="target/nrf52.cfg"), "", 60.0)
    assert "nothing was touched" in caught.value.what


def test_an_unknown_target_is_refused_by_pyocd_itself(files: Image) -> None:
    one = flasher("pyocd")
    if not one.available().version:
        pytest.skip("no pyOCD: the extra `flash` brings it")
    some = dataclasses.replace(board(), flash_options={"pyocd": "no_such_target"})
    with pytest.raises(FlashError, match="nothing was touched"):
        one.write(files, some, "no-such-probe", 60.0)
