"""Fully connected layers by chunks of the input: exact at any length, rows that fill no block single."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.kernel_checks import M4, ON_M4, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.fully_connected import fully_connected_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv7em.fully_connected import FullyConnectedPairs
from tinyedge.kernels.armv7em.fully_connected_chunks import CHUNK_WORDS, FullyConnectedChunks
from tinyedge.ops.contract import Layer

KERNEL = FullyConnectedChunks()
CHUNK = 4 * CHUNK_WORDS


def layer_of(rng: Rng, **wanted: Any) -> Layer:
    """A layer of one image whose weights leave room for a pair in 16 bits, and whose scales shift right."""
    layer = fully_connected_layer(rng, **{"weight_zero_point": 0, "batches": 1, "corners": False, **wanted})
    p = layer.params
    shift = np.where(p.multiplier == 0, 0, np.minimum(p.shift, -1)).astype(np.int32)
    return dataclasses.replace(layer, params=dataclasses.replace(p, weights=np.maximum(p.weights, -127), shift=shift))


def loudest(layer: Layer) -> Layer:
    """All weights and biases at their ends, so that every sum is as large as it gets."""
    p = layer.params
    ends = np.where(np.arange(p.weights.size).reshape(p.weights.shape) % 3 == 0, -127, 127)
    bias = np.full_like(p.bias, 1 << 28)
    return dataclasses.replace(layer, params=dataclasses.replace(p, weights=ends.astype(np.int8), bias=bias))


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_is_exact(compiler: str, tmp_path: Path) -> None:
    """Every remainder of inputs and rows, with one chunk and more."""
    if compiler == "gcc" and not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    rng = rng_for("chunks")
    sizes = [(k, n) for k in (1, 3, 4, 5, 8, 9) for n in (1, 2, 4, 5, 6)]
    sizes += [(CHUNK + more, n) for more in (-4, 0, 1, 4, 8) for n in (1, 6)] + [(2 * CHUNK + 12, 9)]
    layers = [layer_of(rng, inputs=k, outputs=n) for k, n in sizes]
    layers.append(loudest(layer_of(rng, inputs=2 * CHUNK, outputs=5)))
    layers.append(layer_of(rng, inputs=20, outputs=6, limits=(-20, 90), weight_zero_point=2))
    ON_M4.check_kernel(KERNEL, ON_M4.fitting(KERNEL, layers, 35), tmp_path, rng, compiler)


@pytest.mark.parametrize(("model", "most"), [("har_ambiq", 1.3), ("micro_speech_quantized", 1.1)])
def test_is_exact_and_fast_on(model: str, most: float, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "fully_connected")
    rng = rng_for(model)
    ON_M4.check_kernel(KERNEL, layers, tmp_path / "exact", rng)
    for layer, counted in zip(layers, ON_M4.check_costs(KERNEL, layers, tmp_path / "costs", rng), strict=True):
        assert counted.instructions / layer.macs < most


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    sizes = [(640, 128), (128, 8), (64, 10), (2000, 1), (12, 5)]
    layers = [layer_of(rng, inputs=k, outputs=n) for k, n in sizes]
    ON_M4.check_costs(KERNEL, layers, tmp_path, rng)
    ON_M4.check_code_bytes(KERNEL, layers[2:4], tmp_path)


def test_rows_take_no_flash_for_others() -> None:
    layer = layer_of(rng_for("flash"), inputs=1000, outputs=5)
    assert KERNEL.cost(layer, M4).constant_bytes < 5300
    assert FullyConnectedPairs().cost(layer, M4).constant_bytes > 8000


def test_refuses() -> None:
    rng = rng_for("refused")
    assert "one" in KERNEL.fits(layer_of(rng, batches=2, inputs=8, outputs=4), M4)
    assert "three more" in KERNEL.fits(layer_of(rng, inputs=8, outputs=7), M4)
    assert "beyond int8" in KERNEL.fits(layer_of(rng, inputs=8, outputs=4, weight_zero_point=100), M4)
    assert "DSP" in KERNEL.fits(layer_of(rng, inputs=8, outputs=4), CORES["cortex-m3"])
