"""fully_connected with Helium against the numpy reference, and what it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.kernel_checks import M55, ON_M55, rng_for
from ops.fully_connected import fully_connected_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv81m.fully_connected import KERNELS

pytestmark = pytest.mark.toolchain


def test_are_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for(f"fully connected {compiler}")
    layers = [fully_connected_layer(rng) for _ in range(40)]
    for inputs in (16, 64, 80, 112, 144, 200):
        layers += [fully_connected_layer(rng, inputs=inputs, outputs=outputs) for outputs in (3, 8, 13, 16)]
    for kernel in KERNELS:
        ON_M55.fitting(kernel, layers, 12)
    ON_M55.check_kernels(KERNELS, layers, tmp_path, rng, compiler)


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    for kernel, sizes in zip(KERNELS, (((64, 12), (128, 8), (20, 16)), ((640, 128), (128, 128))), strict=True):
        layers = [
            fully_connected_layer(rng, batches=1, inputs=i, outputs=o, weight_zero_point=0, corners=False)
            for i, o in sizes
        ]
        ON_M55.check_costs(kernel, layers, tmp_path, rng, percent=8)


def test_refuses() -> None:
    layer = fully_connected_layer(rng_for("refused"), inputs=16, weight_zero_point=0)
    assert "no Helium" in KERNELS[0].fits(layer, CORES["cortex-m33f"])
    assert KERNELS[1].fits(layer, M55) == "there is nothing to loop over"
