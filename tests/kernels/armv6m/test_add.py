"""Sums by two products: exact for all pairs of inputs, in place, refused where they cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kits.add_layers import add_corners, usual_sum
from kits.kernel_checks import M0, ON_M0, model_layers, rng_for
from ops.add import add_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv6m.add import AddShort, find_products
from tinyedge.kernels.common.add_factors import all_outputs

KERNEL = AddShort()


def test_is_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for("add")
    ON_M0.check_kernel(KERNEL, ON_M0.fitting(KERNEL, add_corners(rng), 13), tmp_path, rng, compiler)


def test_fits_the_layers_of_resnet(shared_models: Path) -> None:
    layers = model_layers(shared_models, "pretrainedResnet_quant", "add")
    assert [KERNEL.fits(layer, M0) for layer in layers] == [""] * 3
    assert len({KERNEL.cost(layer, M0).shared_code for layer in layers}) == 1


def test_constants_found_are_right_for_all_inputs() -> None:
    rng = rng_for("proof")
    x, y = np.meshgrid(np.arange(-128, 128), np.arange(-128, 128), indexing="ij")
    found = 0
    for _ in range(20):
        p = usual_sum(rng).params
        f = find_products(p)
        if f is not None:
            found += 1
            sums = f.a * x + f.b * y + f.k
            assert np.abs(sums).max() < 1 << 31
            assert np.array_equal(np.clip(sums >> f.fraction, p.activation_min, p.activation_max), all_outputs(p))
    assert found >= 15


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = ON_M0.fitting(KERNEL, [usual_sum(rng, elements) for elements in (50, 500)], 2)
    (_, cycles, _), _ = reversed(ON_M0.check_costs(KERNEL, layers, tmp_path, rng, percent=12))
    ON_M0.check_code_bytes(KERNEL, layers, tmp_path, percent=12)
    assert cycles / 500 < 21


def test_refuses() -> None:
    rng = rng_for("refused")
    assert "is broadcast" in KERNEL.fits(add_layer(rng, shapes=((2, 5), (1, 5)), constant=False), M0)
    assert KERNEL.fits(usual_sum(rng), CORES["cortex-m4f"]).startswith("made for Armv6-M")
