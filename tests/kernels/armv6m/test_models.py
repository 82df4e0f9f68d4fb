"""Whole models on the emulated boards with a Cortex-M0+: exact, and as few cycles for a product as promised."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.cli import tinyedge

PROMISED = [
    # model, optimize, cycles for a product at most
    ("kws_ref_model", "balanced", 5.5),
    ("kws_ref_model", "speed", 4.0),
    ("pretrainedResnet_quant", "balanced", 5.5),
]


@pytest.mark.slow
@pytest.mark.parametrize("board", ["rpi_pico", "nucleo_g0b1re"])
@pytest.mark.parametrize(("model", "optimize", "most"), PROMISED)
def test_model(board: str, model: str, optimize: str, most: float, shared_models: Path, tmp_path: Path) -> None:
    path = shared_models / f"{model}.tflite"
    outcome = tinyedge(
        "run", path, "--board", board, "--runtime", "aot", "--optimize", optimize, "--json", cwd=tmp_path
    )
    assert outcome.code == 0, outcome.stderr
    run = json.loads(outcome.stdout)
    assert run["verify"]["mismatches"] == 0
    assert run["cycles"]["value"] <= most * sum(layer["macs"] for layer in run["layers"])
