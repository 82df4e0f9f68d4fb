"""A whole flashing path for real: gdb writes by `load` into QEMU, the board resets, its banner is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kits.cli import assert_refused, tinyedge
from kits.models import small_convolution
from kits.qemu_board import BOARD, QemuBoard, need_gdb_and_qemu, qemu_board

pytestmark = [pytest.mark.toolchain, pytest.mark.xdist_group("gdb_qemu")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models with the same operators."""
    need_gdb_and_qemu()
    folder = tmp_path_factory.mktemp("gdb")
    (folder / "small.tflite").write_bytes(small_convolution())
    (folder / "other.tflite").write_bytes(small_convolution(channels=4))
    return folder


@pytest.fixture
def machine(folder: Path) -> Iterator[QemuBoard]:
    with qemu_board(folder) as machine:
        yield machine


def flash(folder: Path, machine: QemuBoard, *more: str, model: str = "small") -> tuple[str | Path, ...]:
    return ("flash", f"{model}.tflite", "-b", BOARD, "--probe", machine.gdb, "--port", machine.console, *more)


def test_flash_banner_verify_and_flash_again(folder: Path, machine: QemuBoard) -> None:
    outcome = tinyedge(*flash(folder, machine, "--json"), cwd=folder)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["tool"], document["verified"], document["touched"]) == ("gdb", True, True)
    assert document["banner"] == {"image": document["image"], "selftest": "ok"}

    outcome = tinyedge(
        "verify", "small.tflite", "-b", BOARD, "--port", machine.console, "--json", "--samples", "5", cwd=folder
    )
    assert outcome.code == 0, outcome.stderr
    measured = json.loads(outcome.stdout)
    assert measured["verify"] == {"samples": 5, "mismatches": 0, "first_mismatch": None}
    assert measured["cycles"]["kind"] == measured["latency_us"]["kind"] == "measured"
    assert measured["instructions"]["value"] is None
    assert measured["latency_percentiles_us"]["runs"] == 5

    outcome = tinyedge("verify", "other.tflite", "-b", BOARD, "--port", machine.console, cwd=folder)
    assert_refused(outcome, 1, f"the firmware says it is image `{document['image']}`")

    outcome = tinyedge(*flash(folder, machine, model="other"), cwd=folder)
    assert outcome.code == 0, outcome.stderr
    assert "running   this very image, self-test ok" in outcome.stdout


def test_a_probe_that_is_not_there_touches_nothing(folder: Path, machine: QemuBoard) -> None:
    command = ["flash", "small.tflite", "-b", BOARD, "--probe", "127.0.0.1:1", "--port", machine.console]
    outcome = tinyedge(*command, cwd=folder)
    assert_refused(outcome, 4, "`gdb` ended with exit code 1", "nothing was touched: `gdb` did not reach the board")


@pytest.mark.slow
def test_a_board_that_is_silent_after_flashing(folder: Path, machine: QemuBoard) -> None:
    """The console is another machine's, so nothing is ever said there: written, but not proved."""
    with qemu_board(folder) as other:
        command = ["flash", "small.tflite", "-b", BOARD, "--probe", machine.gdb, "--port", other.console]
        outcome = tinyedge(*command, cwd=folder)
    assert_refused(outcome, 4, "did not answer `hello`", f"the flash of board `{BOARD}` was written by `gdb`")
