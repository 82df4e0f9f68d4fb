"""A network that may stop early, as a user runs it: bit for bit as the interpreter, and its ways out told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.cli import tinyedge
from kits.exits import early_exit
from tinyedge.measure.oracle import oracle_available

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not oracle_available(), reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)"
    ),
]


@pytest.mark.parametrize("board", ["nrf52840dk", "rpi_pico", "hifive1_revb"])
def test_a_board_stops_where_the_interpreter_does(board: str, tmp_path: Path) -> None:
    (tmp_path / "exit.tflite").write_bytes(early_exit(3))
    options = ("--board", board, "--inputs", "random:3", "--samples", "200", "--html", "run.html", "--json")
    outcome = tinyedge("run", "exit.tflite", *options, cwd=tmp_path, timeout_s=600)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["verify"]["samples"], document["verify"]["mismatches"], document["selftest"]) == (200, 0, "ok")
    found = document["early_exit"]
    early, late = found["early"], found["late"]
    assert 20 < early["samples"] < 180
    assert early["samples"] + late["samples"] == 200
    assert early["instructions"]["value"] < 0.6 * late["instructions"]["value"]
    smallest, largest = document["instructions"]["spread"]
    assert smallest <= early["instructions"]["value"] < late["instructions"]["value"] <= largest
    assert found["worst_instructions"]["value"] == largest
    assert smallest < found["mean_instructions"]["value"] < largest
    assert found["threshold"] == 3
    assert "Early exit" in (tmp_path / "run.html").read_text()
