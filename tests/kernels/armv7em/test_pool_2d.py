"""Poolings: exact in any window, number of channels and clamp, over their input, at the stated cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.kernel_checks import M4, ON_M4, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.pool_2d import pool_2d_layer
from tinyedge.kernels.armv7em.pool_2d import KERNELS, AveragePool2D, MaxPool2D, inverse
from tinyedge.kernels.armv7em.pool_reductions import MOST_CELLS
from tinyedge.ops.contract import Layer

BY_NAME = {kernel.operators[0]: kernel for kernel in KERNELS}
Pool = AveragePool2D | MaxPool2D


def layers_of(rng: Rng, name: str) -> list[Layer]:
    layers = [pool_2d_layer(rng, name, channels=channels) for channels in range(4, 40)]
    layers += [
        pool_2d_layer(rng, name, size=size, kernel=size, stride=(1, 1), padding="valid", channels=channels)
        for size, channels in (((25, 5), 64), ((8, 8), 20), ((16, 16), 8), ((1, 1), 9), ((3, 3), 22))
    ]
    layers += [
        pool_2d_layer(rng, name, size=(7, 9), kernel=(3, 2), stride=(2, 2), padding="same", channels=channels)
        for channels in (16, 17, 18, 19, 20, 36)
    ]
    return [*layers, pool_2d_layer(rng, name, size=(4, 6), kernel=(4, 3), stride=(9, 9), padding="same", channels=32)]


@pytest.mark.parametrize("name", BY_NAME)
def test_is_exact(name: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    ON_M4.check_kernel(BY_NAME[name], ON_M4.fitting(BY_NAME[name], layers_of(rng, name), 40), tmp_path, rng)


@pytest.mark.parametrize("model", ["kws_ref_model", "pretrainedResnet_quant", "vww_96_int8"])
def test_is_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "average_pool_2d")
    ON_M4.check_kernel(
        BY_NAME["average_pool_2d"], ON_M4.fitting(BY_NAME["average_pool_2d"], layers, 1), tmp_path, rng_for(model)
    )


def test_division_is_exact_for_every_sum_and_number_of_cells() -> None:
    for cells in range(1, MOST_CELLS + 1):
        sums = np.arange(-128 * cells, 128 * cells, dtype=np.int64)
        sign = sums >> 63
        rounded = (4 * (sums + ((cells // 2) ^ sign) - sign) * inverse(cells) >> 32) - sign
        expected = np.sign(sums) * ((np.abs(sums) + cells // 2) // cells)
        assert np.array_equal(rounded, expected), cells
        assert np.abs(sums).max() <= 1 << 15


@pytest.mark.parametrize("name", BY_NAME)
def test_costs_are_honest(name: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    layers = [
        pool_2d_layer(rng, name, size=size, kernel=kernel, stride=kernel, padding="valid", channels=channels)
        for size, kernel, channels in (((25, 5), (25, 5), 64), ((8, 8), (2, 2), 16), ((9, 9), (3, 3), 21))
    ]
    ON_M4.check_costs(BY_NAME[name], layers, tmp_path, rng)
    ON_M4.check_code_bytes(BY_NAME[name], layers[:1], tmp_path)
    ON_M4.check_code_bytes(BY_NAME[name], layers[1:2], tmp_path, percent=25)


@pytest.mark.parametrize(("name", "most"), [("average_pool_2d", 0.95), ("max_pool_2d", 0.87)])
def test_instructions_per_value(name: str, most: float, tmp_path: Path) -> None:
    rng = rng_for(name)
    layer = pool_2d_layer(rng, name, size=(25, 5), kernel=(25, 5), padding="valid", channels=64, limits=(-128, 127))
    instructions, _, _ = ON_M4.counts(BY_NAME[name], [layer], tmp_path, rng)[0]
    assert instructions / 8000 < most


def test_refuses() -> None:
    rng = rng_for("refused")
    large = pool_2d_layer(rng, "average_pool_2d", size=(17, 16), kernel=(17, 16), padding="valid", channels=4)
    assert "windows of 272 cells" in BY_NAME["average_pool_2d"].fits(large, M4)
    assert BY_NAME["max_pool_2d"].fits(large, M4) == ""
    thin = pool_2d_layer(rng, "max_pool_2d", channels=3)
    assert "there are 3 channels" in BY_NAME["max_pool_2d"].fits(thin, M4)
