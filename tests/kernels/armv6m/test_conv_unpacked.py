"""Streams of weights that are compressed in flash: exact, as fast and as small as stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kits.conv_layers import conv_corners
from kits.kernel_checks import M0, ON_M0, rng_for
from kits.kernel_layers import Rng
from kits.stored_weights import bits, dense, pruned, shared, with_weights
from ops.conv_2d import conv_layer, relu_layer
from tinyedge.kernels.armv6m.conv_stream import Conv2DStream
from tinyedge.kernels.armv6m.conv_unpacked import Conv2DStreamBitmap, Conv2DStreamClusters
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

CLUSTERS, BITMAP = Conv2DStreamClusters(), Conv2DStreamBitmap()


def layers_of(rng: Rng) -> list[Layer]:
    one: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1), "padding": "same"}
    layers = [
        *(relu_layer(rng, size=(4, 5), kernel=(1, 1), input_channels=n, **one) for n in (1, 7, 16, 33, 64)),
        *(relu_layer(rng, size=(5, 5), kernel=(3, 3), input_channels=n, output_channels=6, **one) for n in (1, 3, 8)),
        *conv_corners(rng, conv_layer, relu_layer)[:8],
    ]
    draws = (shared(16), shared(8), shared(4), bits(4), pruned(0.7))
    return [with_weights(rng, layer, draw, healthy=True) for layer in layers for draw in draws]


@pytest.mark.slow
def test_is_exact(tmp_path: Path) -> None:
    rng = rng_for("unpacked")
    layers = layers_of(rng)
    assert len(ON_M0.fitting(CLUSTERS, layers, 20)) >= 20
    assert len(ON_M0.fitting(BITMAP, layers, 5)) >= 5
    ON_M0.check_kernels([CLUSTERS, BITMAP], layers, tmp_path, rng, "zig")


@pytest.mark.slow
def test_costs_are_honest_and_weights_small(tmp_path: Path) -> None:
    rng = rng_for("costs")
    one: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1), "padding": "same"}
    base = relu_layer(rng, size=(8, 5), kernel=(1, 1), input_channels=64, output_channels=32, **one)
    plain = with_weights(rng, base, dense, healthy=True)
    (before,) = ON_M0.counts(Conv2DStream(), [plain], tmp_path, rng)
    cases: list[tuple[Kernel, Layer]] = [
        (CLUSTERS, with_weights(rng, base, shared(16), healthy=True)),
        (CLUSTERS, with_weights(rng, base, bits(4), healthy=True)),
        (BITMAP, with_weights(rng, base, pruned(0.75), healthy=True)),
    ]
    for kernel, layer in cases:
        (after,) = ON_M0.check_costs(kernel, [layer], tmp_path, rng)
        assert after.cycles < 1.35 * before.cycles
        storage = kernel.cost(layer, M0).storage
        assert storage is not None
        assert storage.stored_bytes <= 0.6 * storage.unpacked_bytes
        ON_M0.check_code_bytes(kernel, [layer], tmp_path)
