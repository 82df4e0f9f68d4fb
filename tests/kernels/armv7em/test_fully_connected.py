"""Fully connected layers on two rows at once: exact, as fast as stated, and refused where sums could go wrong."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.kernel_checks import M4, ON_M4, loop_lines, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.fully_connected import fully_connected_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv7em.fully_connected import FullyConnectedPairs, FullyConnectedPlain
from tinyedge.ops.contract import Layer

KERNEL, PLAIN = FullyConnectedPairs(), FullyConnectedPlain()


def layer_of(rng: Rng, **wanted: Any) -> Layer:
    """A layer whose weights leave room for a pair in 16 bits, and whose scales shift right."""
    layer = fully_connected_layer(rng, **{"weight_zero_point": 0, **wanted})
    p = layer.params
    shift = np.where(p.multiplier == 0, 0, np.minimum(p.shift, -1)).astype(np.int32)
    return dataclasses.replace(layer, params=dataclasses.replace(p, weights=np.maximum(p.weights, -127), shift=shift))


def special_layers(rng: Rng) -> list[Layer]:
    """Every remainder of inputs and outputs, several rows, one of each size, ends of ranges."""
    tails = [layer_of(rng, batches=1, inputs=k, outputs=n) for k in (1, 2, 3, 4, 5, 7, 8, 9, 12) for n in (1, 2, 3, 4)]
    return [
        *ON_M4.fitting(KERNEL, tails, 20),
        layer_of(rng, batches=3, inputs=8, outputs=6, corners=False),
        layer_of(rng, batches=2, inputs=4, outputs=9, corners=False),
        layer_of(rng, batches=1, inputs=516, outputs=10, corners=False),
        layer_of(rng, batches=1, inputs=16, outputs=8, per_output=False, limits=(-20, 90), corners=False),
        layer_of(rng, batches=1, inputs=9, outputs=5, per_output=True, limits=(-128, 3), corners=False),
        layer_of(rng, batches=1, inputs=20, outputs=5, weight_zero_point=2, corners=False),
    ]


@pytest.mark.parametrize("compiler", ["zig", "gcc"])
def test_is_exact(compiler: str, tmp_path: Path) -> None:
    if compiler == "gcc" and not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    rng = rng_for("fully_connected")
    layers = special_layers(rng) if compiler == "zig" else []
    layers += ON_M4.fitting(KERNEL, [layer_of(rng) for _ in range(60)], 30)
    ON_M4.check_kernel(KERNEL, layers, tmp_path, rng, compiler)


def test_leads_are_not_larger_than_needed(tmp_path: Path) -> None:
    rng = rng_for("in-place offsets")
    layers = [
        layer_of(rng, inputs=4 * int(rng.integers(1, 6)), outputs=int(rng.integers(5, 40)), corners=False)
        for _ in range(20)
    ]
    layers = [layer for layer in layers if (KERNEL.in_place_offset(layer, M4, 0) or 0) % 4 == 0]
    ON_M4.check_offsets_are_tight(KERNEL, ON_M4.fitting(KERNEL, layers, 4), tmp_path, rng)


@pytest.mark.parametrize("model", ["ad01_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8"])
def test_is_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "fully_connected")
    ON_M4.check_kernel(KERNEL, ON_M4.fitting(KERNEL, layers, len(layers)), tmp_path, rng_for(model))


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    sizes = [(640, 128), (128, 128), (128, 8), (8, 128), (64, 12), (12, 5)]
    layers = [layer_of(rng, batches=1, inputs=k, outputs=n, corners=False) for k, n in sizes]
    ON_M4.check_costs(KERNEL, layers, tmp_path, rng)
    ON_M4.check_code_bytes(KERNEL, layers[:1], tmp_path)


def test_instructions_per_product(tmp_path: Path) -> None:
    rng = rng_for("speed")
    layers = [layer_of(rng, batches=1, inputs=k, outputs=n, corners=False) for k, n in ((640, 128), (128, 640))]
    for layer, (instructions, cycles, _) in zip(layers, ON_M4.counts(KERNEL, layers, tmp_path, rng), strict=True):
        assert instructions / layer.macs < 1.14
        assert cycles / layer.macs < 1.55


def test_the_loop_keeps_everything_in_registers() -> None:
    lines = loop_lines(KERNEL, layer_of(rng_for("loop"), batches=1, corners=False), "eight inputs with four rows")
    assert sum("smlad" in line for line in lines) == 16
    assert not [line for line in lines if "sp" in line]


REFUSED = [
    ({"weight_zero_point": 100}, {}, "beyond int8"),
    ({}, {"shift": 0}, "shifted left by 0"),
    ({}, {"weights": -128}, "leaves no room"),
    ({}, {"bias": 1 << 24}, "less than 2**23"),
    ({"batches": 2, "inputs": 5}, {}, "not all aligned to a word"),
]


@pytest.mark.parametrize(("wanted", "changed", "reason"), REFUSED)
def test_refuses(wanted: dict[str, Any], changed: dict[str, int], reason: str) -> None:
    layer = layer_of(rng_for("refused"), **{"batches": 1, "outputs": 4, "corners": False, **wanted})
    arrays = {name: np.full_like(getattr(layer.params, name), value) for name, value in changed.items()}
    layer = dataclasses.replace(layer, params=dataclasses.replace(layer.params, **arrays))
    assert reason in KERNEL.fits(layer, M4)


def test_needs_the_dsp_extension() -> None:
    layer = layer_of(rng_for("core"), batches=1, corners=False)
    assert KERNEL.fits(layer, CORES["cortex-m3"]) == "`cortex-m3` has no DSP instructions"
    assert KERNEL.fits(layer, CORES["cortex-m33f"]) == ""


def test_rows_that_cannot_be_pairs(tmp_path: Path) -> None:
    """Weights of -128 everywhere, and sums beyond 2**23."""
    rng = rng_for("plain")
    layers = [fully_connected_layer(rng, weight_zero_point=0) for _ in range(30)]
    layers = [
        *ON_M4.fitting(PLAIN, layers, 8),
        fully_connected_layer(rng, batches=1, inputs=600, outputs=6, corners=False),
    ]
    ON_M4.check_kernel(PLAIN, ON_M4.fitting(PLAIN, layers, 8), tmp_path, rng)
    large = layer_of(rng, batches=1, inputs=256, outputs=32, corners=False)
    (counted,) = ON_M4.check_costs(PLAIN, [large], tmp_path / "costs", rng)
    assert counted.instructions / large.macs < 1.75
    ON_M4.check_code_bytes(PLAIN, [large], tmp_path / "code")
