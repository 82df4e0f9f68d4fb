"""add with Helium: both forms against the numpy reference, and what they take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.kernel_checks import M55, ON_M55, model_layers, rng_for
from ops.add import add_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv81m.add import KERNELS, find_products
from tinyedge.kernels.common.add_factors import find_halves

pytestmark = pytest.mark.toolchain
ADD = KERNELS[0]


def test_is_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for("add zig")
    layers = ON_M55.fitting(ADD, [add_layer(rng) for _ in range(80)], 12)
    assert {bool(find_products(layer.params)) for layer in layers} == {True, False}
    ON_M55.check_kernels(KERNELS, layers, tmp_path, rng, compiler)


def test_constants_are_right_for_all_pairs(shared_models: Path) -> None:
    """In 32 bits, wrapping as the core does."""
    for layer in model_layers(shared_models, "pretrainedResnet_quant", "add"):
        p = layer.params
        found = find_products(p) or find_halves(p)
        assert found is not None
        assert not ADD.fits(layer, M55)


def test_four_elements_take_9_or_12_instructions(shared_models: Path, tmp_path: Path) -> None:
    rng = rng_for("speed")
    layers = model_layers(shared_models, "pretrainedResnet_quant", "add")
    ON_M55.check_costs(ADD, layers, tmp_path, rng, percent=2)
    for layer, (taken, _, _) in zip(layers, ON_M55.counts(ADD, layers, tmp_path, rng), strict=True):
        each = 9 if find_products(layer.params) else 12
        assert taken <= np.ceil(layer.outputs[0].elements / 4) * each + 30


def test_refuses() -> None:
    rng = rng_for("refused")
    layer = add_layer(rng)
    assert "no Helium" in ADD.fits(layer, CORES["cortex-m33f"])
