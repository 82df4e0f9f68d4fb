"""On real boards: flash, banner, every byte against the oracle, and figures that can be true."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kits.cli import program, tinyedge
from kits.lab import LabBoard
from kits.models import small_convolution
from tinyedge.boards import load_board

pytestmark = pytest.mark.hardware


@pytest.fixture
def flashed(lab_board: LabBoard, tmp_path: Path) -> dict[str, Any]:
    """The board runs a small model; what `flash --json` said of it."""
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    outcome = tinyedge("flash", *_model(lab_board), *lab_board.flash_options, "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    return document


def _model(lab_board: LabBoard) -> list[str]:
    return ["small.tflite", "--board", lab_board.board, "--compiler", lab_board.compiler]


def test_the_banner_proves_the_image(flashed: dict[str, Any]) -> None:
    assert flashed["banner"] == {"image": flashed["image"], "selftest": "ok"}


def test_every_byte_is_the_oracles(flashed: dict[str, Any], lab_board: LabBoard, tmp_path: Path) -> None:
    options = [*lab_board.port_options, "--samples", str(lab_board.samples), "--json"]
    outcome = tinyedge("verify", *_model(lab_board), *options, cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (lab_board.samples, 0)
    assert document["cycles"]["kind"] == "measured"
    macs = sum(layer["macs"] for layer in document["layers"])
    assert document["cycles"]["value"] > macs / 8, "no core of this project does more than eight MACs a cycle"
    clock_hz = load_board(lab_board.board).clock_hz
    assert document["latency_us"]["value"] == pytest.approx(document["cycles"]["value"] * 1e6 / clock_hz)
    assert 0 < document["memory"]["stack_peak_bytes"] < 4096


def test_the_monitor_hears_the_board(flashed: dict[str, Any], lab_board: LabBoard, tmp_path: Path) -> None:
    """It connects, and Ctrl-C ends it; a board says nothing unless it is reset or asked."""
    where = lab_board.port_options or ["--board", lab_board.board]
    with subprocess.Popen(
        program("monitor", *where, "--json"), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["kind"] == "connected"
            process.send_signal(2)
            assert process.wait(20) == 130
        finally:
            process.kill()
