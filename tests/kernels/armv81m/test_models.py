"""Whole models on the emulated board with a Cortex-M55: exact, and in as few instructions as promised."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kits.cli import tinyedge

PROMISED = [
    # model, optimize, instructions at most; of ResNet-8 a fifth of what nrf52840dk, a Cortex-M4, takes
    ("pretrainedResnet_quant", "speed", 7_520_000 // 5),
    ("pretrainedResnet_quant", "balanced", 11_290_000 // 5),
    ("kws_ref_model", "balanced", 620_000),
    ("vww_96_int8", "balanced", 1_420_000),
    ("ad01_int8", "balanced", 28_500),
]


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="no QEMU: apt-get install qemu-system-arm")
@pytest.mark.parametrize(("model", "optimize", "most"), PROMISED)
def test_model(model: str, optimize: str, most: int, compiler: str, shared_models: Path, tmp_path: Path) -> None:
    path = shared_models / f"{model}.tflite"
    options = ("--board", "mps3_an547", "--compiler", compiler, "--optimize", optimize, "--samples", "2", "--json")
    outcome = tinyedge("run", path, *options, cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    run = json.loads(outcome.stdout)
    assert run["verify"]["mismatches"] == 0
    assert run["instructions"]["value"] <= most
