"""Fully connected layers, four outputs at a time: exact, as fast as stated."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.kernel_checks import M0, ON_M0, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.fully_connected import fully_connected_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv6m.fully_connected import FullyConnectedRows, pack_layer
from tinyedge.ops.contract import Layer

KERNEL = FullyConnectedRows()


def layer_of(rng: Rng, **wanted: Any) -> Layer:
    """A layer with the scales of real ones."""
    layer = fully_connected_layer(rng, **{"weight_zero_point": 0, "corners": False, **wanted})
    p = layer.params
    exponent = p.inputs.bit_length() // 2
    alike = bool((p.multiplier == p.multiplier[0]).all())
    shift = np.full(p.outputs, rng.integers(-8 - exponent, -5 - exponent, 1 if alike else p.outputs))
    bias = rng.integers(-(1 << 14), 1 << 14, p.outputs)
    given = {"shift": shift, "multiplier": np.maximum(p.multiplier, 1 << 30), "bias": bias}
    params = dataclasses.replace(p, **{name: values.astype(np.int32) for name, values in given.items()})
    return dataclasses.replace(layer, params=params)


def test_is_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for("fully_connected")
    layers = [layer_of(rng, batches=1, inputs=k, outputs=n) for k in (1, 2, 3, 4, 5, 9, 12) for n in (4, 5, 6, 7, 8)]
    layers += [layer_of(rng, batches=3, inputs=8, outputs=6), layer_of(rng, batches=2, inputs=4, outputs=9)]
    layers += [layer_of(rng, batches=1, inputs=100, outputs=9, limits=limits) for limits in ((-20, 90), (-128, 3))]
    layers = ON_M0.fitting(KERNEL, layers, 36) if compiler == "zig" else layers[:3]
    layers += [layer for layer in (fully_connected_layer(rng) for _ in range(30)) if not KERNEL.fits(layer, M0)]
    ON_M0.check_kernel(KERNEL, layers, tmp_path, rng, compiler)


@pytest.mark.parametrize("model", ["kws_ref_model", "pretrainedResnet_quant", "ad01_int8"])
def test_is_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "fully_connected")
    assert [KERNEL.fits(layer, M0) for layer in layers] == [""] * len(layers)
    ON_M0.check_kernel(KERNEL, [layer for layer in layers if layer.macs < 20_000], tmp_path, rng_for(model))


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = [layer_of(rng, batches=1, inputs=inputs, outputs=outputs) for inputs, outputs in ((128, 64), (30, 10))]
    counts = ON_M0.check_costs(KERNEL, ON_M0.fitting(KERNEL, layers, 2), tmp_path, rng)
    ON_M0.check_code_bytes(KERNEL, ON_M0.fitting(KERNEL, layers, 2), tmp_path)
    assert counts[0].cycles / layers[0].macs < 5.3


def test_one_scale_takes_one_line() -> None:
    rng = rng_for("alike")
    alike, apart = (layer_of(rng, inputs=64, outputs=64, batches=1, per_output=each) for each in (False, True))
    assert pack_layer(alike.params).size < 64 + 10
    assert pack_layer(apart.params).size >= 64 * 4


def test_refuses() -> None:
    rng = rng_for("refused")
    assert "3 outputs are fewer" in KERNEL.fits(layer_of(rng, outputs=3), M0)
    assert "a zero point of 2" in KERNEL.fits(layer_of(rng, outputs=8, weight_zero_point=2), M0)
    assert KERNEL.fits(layer_of(rng, outputs=8), CORES["cortex-m4f"]).startswith("made for Armv6-M")
