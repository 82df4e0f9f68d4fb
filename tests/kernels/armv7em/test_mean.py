"""Means over height and width: exact, at the place of their input, at the stated cost."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kits.kernel_checks import M4, ON_M4, rng_for
from kits.kernel_layers import Rng
from ops.mean import mean_layer
from tinyedge.kernels.armv7em.mean import MeanOverCells
from tinyedge.ops.contract import Layer

KERNEL = MeanOverCells()


def layer_of(rng: Rng, height: int, width: int, channels: int) -> Layer:
    return mean_layer(rng, shape=(1, height, width, channels), axes=(1, 2))


def test_is_exact(tmp_path: Path) -> None:
    rng = rng_for("mean")
    layers = [layer_of(rng, 1 + channels % 5, 3, channels) for channels in range(4, 40)]
    layers += [layer_of(rng, 25, 5, 64), layer_of(rng, 16, 16, 12), layer_of(rng, 7, 7, 33)]
    layers += [mean_layer(rng, shape=(6, 10), axes=(0,)), mean_layer(rng, shape=(1, 2, 3, 4, 8), axes=(1, 2, 3))]
    kept = ON_M4.fitting(KERNEL, layers, 30)
    assert {layer.params.multiplier >= 1 << 30 for layer in kept} == {True, False}
    ON_M4.check_kernel(KERNEL, kept, tmp_path, rng)


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = ON_M4.fitting(KERNEL, [layer_of(rng, *sizes) for sizes in ((25, 5, 64), (7, 7, 33), (3, 3, 22))], 3)
    ON_M4.check_costs(KERNEL, layers, tmp_path, rng)
    ON_M4.check_code_bytes(KERNEL, layers[:1], tmp_path)


def test_instructions_per_value(tmp_path: Path) -> None:
    rng = rng_for("speed")
    instructions, _, _ = ON_M4.counts(KERNEL, [layer_of(rng, 25, 5, 64)], tmp_path, rng)[0]
    assert instructions / 8000 < 0.95


@pytest.mark.parametrize(
    ("shape", "axes", "reason"),
    [
        ((1, 5, 6, 8), (3,), "not those in front"),
        ((3, 5, 6, 8), (1, 2), "not those in front"),
        ((1, 5, 6, 3), (1, 2), "there are 3 channels"),
        ((1, 17, 17, 8), (1, 2), "it adds up 289 cells"),
    ],
)
def test_refuses(shape: tuple[int, ...], axes: tuple[int, ...], reason: str) -> None:
    assert reason in KERNEL.fits(mean_layer(rng_for("refused"), shape=shape, axes=axes), M4)


def test_refuses_shifts_to_the_left() -> None:
    layer = layer_of(rng_for("left"), 5, 5, 8)
    layer = dataclasses.replace(layer, params=dataclasses.replace(layer.params, shift=1))
    assert "shifted left by 1" in KERNEL.fits(layer, M4)
