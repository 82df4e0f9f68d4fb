"""An island in float32 as a user runs it: on a core with an FPU and on one without, exact, counted and named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.cli import tinyedge
from kits.island_models import network_with_island


@pytest.mark.slow
@pytest.mark.parametrize("board", ["nrf52840dk", "rpi_pico", "hifive1"])
def test_an_island_is_exact_counted_and_named(tmp_path: Path, board: str) -> None:
    (tmp_path / "net.tflite").write_bytes(network_with_island())
    outcome = tinyedge("run", "net.tflite", "--board", board, "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)
    operators = {layer["operator"]: layer for layer in document["layers"]}
    assert {"island", "mul_f32", "div_f32", "concatenation"} <= operators.keys()
    assert operators["mul_f32"]["instructions"] > 16
    notes = " ".join(document["notes"])
    assert "dequantize, exp compute in float32; they run as one table" in notes
    assert "mul_f32" in notes
    assert "% of the predicted cycles; in integers they take a fraction of that" in notes
