"""`tinyedge flash` as a user calls it, with a pyOCD that stands in for the real one and an emulated board."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.board_on_line import EmulatedFirmware, Line, on_terminal
from kits.cli import assert_refused, tinyedge
from kits.models import small_convolution
from kits.processes import make_program
from tinyedge import wire
from tinyedge.boards import load_board
from tinyedge.console import serial
from tinyedge.errors import DeviceError, UsageError
from tinyedge.jobs.board import open_board

FLASH = ("flash", "small.tflite", "-b", "nrf52840")


def test_a_board_that_runs_what_was_written(
    small_folder: Path, board_line: tuple[str, Line], with_pyocd: dict[str, str], tmp_path: Path
) -> None:
    outcome = tinyedge(*FLASH, "--port", board_line[0], cwd=small_folder, env=with_pyocd)
    assert outcome.code == 0, outcome.stderr
    image = small_folder / "build/small/nrf52840dk-zig/build/firmware.hex"
    assert (tmp_path / "written").read_text().split()[-1] == str(image)
    assert "verified  every byte, by pyocd" in outcome.stdout
    assert f"running   this very image, self-test ok: banner at {board_line[0]}" in outcome.stdout
    assert "touched   the flash of board `nrf52840dk`, by pyocd 0.46.0" in outcome.stdout


def test_a_board_that_runs_another_image(
    small_folder: Path, board_line: tuple[str, Line], with_pyocd: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "small.tflite").write_bytes(small_convolution(channels=4))
    outcome = tinyedge(*FLASH, "--port", board_line[0], cwd=tmp_path, env=with_pyocd)
    assert_refused(
        outcome, 1, "the firmware says it is image", "the flash of board `nrf52840dk` was written by `pyocd`"
    )


def test_a_board_whose_self_test_failed(
    small_folder: Path, firmware: EmulatedFirmware, with_pyocd: dict[str, str], tmp_path: Path
) -> None:
    """The banner is the image's own, and the image is the right one: flashing fails all the same."""
    with on_terminal(FailedSelftest(firmware)) as (port, _):
        outcome = tinyedge(*FLASH, "--port", port, cwd=small_folder, env=with_pyocd)
    assert_refused(
        outcome,
        1,
        "the board runs this image, but its self-test gave `fail`",
        "the flash of board `nrf52840dk` was written by `pyocd`",
        "`tinyedge verify` shows the first layer that differs",
    )
    assert outcome.stdout == ""
    assert (tmp_path / "written").exists()


def test_json_without_a_banner(small_folder: Path, with_pyocd: dict[str, str]) -> None:
    outcome = tinyedge(*FLASH, "--no-banner", "--json", cwd=small_folder, env=with_pyocd)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert document["schema"] == "tinyedge.flash/1"
    assert (document["tool"], document["tool_version"], document["verified"]) == ("pyocd", "0.46.0", True)
    assert (document["touched"], document["dry_run"], document["banner"]) == (True, False, None)
    assert document["notes"] == ["the banner was not asked for"]


def test_a_dry_run_prints_and_touches_nothing(small_folder: Path, with_pyocd: dict[str, str], tmp_path: Path) -> None:
    outcome = tinyedge(*FLASH, "--dry-run", cwd=small_folder, env=with_pyocd)
    assert outcome.code == 0, outcome.stderr
    first, second = outcome.stdout.splitlines()
    assert first.startswith("pyocd load --no-wait --target nrf52840 --no-reset ")
    assert second.startswith("pyocd commander ")
    assert "dry run: nothing was touched" in outcome.stderr
    assert not (tmp_path / "written").exists()


def test_a_dry_run_needs_no_tool(small_folder: Path) -> None:
    outcome = tinyedge(*FLASH, "--tool", "jlink", "--dry-run", "--json", cwd=small_folder, env={"PATH": "/nowhere"})
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["tool"], document["dry_run"], document["touched"]) == ("jlink", True, False)
    assert document["steps"][0].endswith("flash.jlink:")
    assert not list(small_folder.rglob("flash.jlink"))


def test_a_tool_that_fails_is_quoted(small_folder: Path, tmp_path: Path) -> None:
    make_program(tmp_path, "pyocd", "[ $1 = --version ] && echo 0.46.0 || { echo flash erase failed >&2; exit 1; }")
    outcome = tinyedge(*FLASH, "--no-banner", cwd=small_folder, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert_refused(outcome, 4, "`pyocd` ended with exit code 1", "| flash erase failed", "may be written in part")


def test_a_port_that_was_named_is_used_without_a_banner(small_folder: Path, tmp_path: Path) -> None:
    """One bridge carries bootloader and console: where nothing is read, the image still goes to the port named."""
    make_program(
        tmp_path,
        "esptool",
        f"[ $1 = version ] && echo esptool v5.6.0 && exit; echo $@ > {tmp_path}/words; echo Hash of data verified.",
    )
    outcome = tinyedge(
        *("flash", "small.tflite", "-b", "esp32c3_devkitm", "--port", "/dev/ttyUSB7", "--no-banner"),
        cwd=small_folder,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert outcome.code == 0, outcome.stderr
    assert "--port /dev/ttyUSB7 " in (tmp_path / "words").read_text()


def test_a_board_without_a_probe_says_how_to_do_without(small_folder: Path, tmp_path: Path) -> None:
    make_program(tmp_path, "pyocd", "[ $1 = --version ] && echo 0.46.0 || { echo No connected debug probes; exit 1; }")
    outcome = tinyedge(
        *("flash", "small.tflite", "-b", "arduino_nano_33_ble", "--no-banner"),
        cwd=small_folder,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )
    assert_refused(
        outcome,
        4,
        "nothing was touched: `pyocd` did not reach the board",
        "board `arduino_nano_33_ble` has no debug probe of its own, and `bossac` needs none",
        "arduino:mbed_nano",
    )


def test_a_tool_that_hangs_is_killed(small_folder: Path, tmp_path: Path) -> None:
    make_program(tmp_path, "pyocd", "[ $1 = --version ] && echo 0.46.0 || exec sleep 60")
    outcome = tinyedge(
        *FLASH, "--no-banner", "--timeout", "0.5", cwd=small_folder, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert_refused(outcome, 4, "`pyocd` did not end within 0.5 s and was killed", "may be written in part")


def test_no_tool_no_port_no_such_tool(small_folder: Path, with_pyocd: dict[str, str], tmp_path: Path) -> None:
    outcome = tinyedge(*FLASH, "--tool", "jlink", cwd=small_folder, env={"PATH": "/nowhere"})
    assert_refused(outcome, 3, "no tool that flashes board `nrf52840dk` is installed", "nothing was touched", "segger")
    outcome = tinyedge(*FLASH, "--port", "/dev/no-such-port", cwd=small_folder, env=with_pyocd)
    assert_refused(outcome, 4, "cannot open `/dev/no-such-port`", "nothing was touched")
    assert not (tmp_path / "written").exists()
    outcome = tinyedge(*FLASH, "--tool", "pyocs", cwd=small_folder, env=with_pyocd)
    assert_refused(outcome, 2, "there is no flash tool `pyocs`", "nothing was touched", "`pyocd`")


def test_a_board_without_a_bridge_says_what_to_wire(small_folder: Path, with_pyocd: dict[str, str]) -> None:
    command = ["flash", "small.tflite", "-b", "arduino_nano_33_ble", "--tool", "pyocd"]
    outcome = tinyedge(*command, cwd=small_folder, env=with_pyocd)
    assert outcome.code == 0, outcome.stderr
    assert "running   not proved: 3.3 V USB serial adapter: its RX to pin TX1" in outcome.stdout
    assert "`--port`" in outcome.stdout


class FailedSelftest:
    """A firmware that says of itself what a chip with a broken multiplier would say."""

    def __init__(self, firmware: EmulatedFirmware) -> None:
        self._firmware = firmware

    def receive(self, data: bytes) -> bytes:
        lines = self._firmware.receive(data).splitlines()
        return b"".join(self._harmed(line) for line in lines)

    @staticmethod
    def _harmed(line: bytes) -> bytes:
        decoded = wire.decode_line(line)
        if decoded is None or "selftest=ok" not in decoded[2]:
            return line + b"\n"
        mark, sequence, words = decoded
        return wire.encode_line(mark, sequence, words.replace("selftest=ok", "selftest=fail"))


class Port:
    def __init__(self, device: str) -> None:
        self.device, self.vid, self.pid = device, 0x1366, 0x1015


def test_two_candidates_are_listed_before_anything_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [Port("/dev/ttyACM0"), Port("/dev/ttyACM1")]
    monkeypatch.setattr(serial.list_ports, "comports", lambda: ports)
    with pytest.raises(UsageError, match=r"2 ports could be board `nrf52840dk`: `/dev/ttyACM0`, `/dev/ttyACM1`"):
        open_board(load_board("nrf52840"))


def test_a_port_that_comes_back_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, firmware: EmulatedFirmware, board_line: tuple[str, Line]
) -> None:
    looks: list[int] = []

    def comports() -> list[Port]:
        looks.append(1)
        return [Port(board_line[0])] if len(looks) > 3 else []

    monkeypatch.setattr(serial.list_ports, "comports", comports)
    target = open_board(load_board("nrf52840"), patience_s=20)
    target.console.close()
    assert target.label == f"board at {board_line[0]}"
    looks.clear()
    with pytest.raises(DeviceError, match="no serial port has the USB ids"):
        open_board(load_board("nrf52840"))
