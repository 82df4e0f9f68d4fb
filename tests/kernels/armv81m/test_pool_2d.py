"""Pooling with Helium against the numpy reference, and what it takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.kernel_checks import M55, ON_M55, rng_for
from ops.pool_2d import pool_2d_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv81m.pool_2d import KERNELS

pytestmark = pytest.mark.toolchain


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
class TestPool:
    def test_is_exact(self, kernel, compiler: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        rng = rng_for(f"{kernel.name} {compiler}")
        name = kernel.operators[0]
        layers = [pool_2d_layer(rng, name) for _ in range(30)]
        layers += [pool_2d_layer(rng, name, channels=channels) for channels in (7, 8, 9, 16, 17, 32, 33)]
        layers.append(pool_2d_layer(rng, name, size=(16, 16), kernel=(16, 16), stride=(1, 1), padding="valid"))
        layers.append(pool_2d_layer(rng, name, size=(3, 3), kernel=(1, 1), stride=(1, 1)))
        ON_M55.check_kernels([kernel], layers, tmp_path, rng, compiler)

    def test_costs_are_honest(self, kernel, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
        rng = rng_for("costs")
        layers = [
            pool_2d_layer(rng, kernel.operators[0], size=s, kernel=k, stride=k, channels=c, padding="valid")
            for s, k, c in (((8, 8), (8, 8), 64), ((24, 24), (2, 2), 16), ((12, 12), (3, 3), 40))
        ]
        ON_M55.check_costs(kernel, layers, tmp_path, rng, percent=20)

    def test_refuses(self, kernel) -> None:  # type: ignore[no-untyped-def]
        layer = pool_2d_layer(rng_for("refused"), kernel.operators[0])
        assert "no Helium" in kernel.fits(layer, CORES["cortex-m33f"])


def test_average_of_many_cells_is_refused() -> None:
    layer = pool_2d_layer(
        rng_for("cells"), "average_pool_2d", size=(17, 17), kernel=(17, 17), stride=(1, 1), padding="valid"
    )
    assert KERNELS[0].fits(layer, M55) == "windows of 289 cells are more than the 256 it sums"
