"""Weights of 4 and 2 bits, unpacked in the inner loop: exact, nearly as fast as int8 in about half the bytes, refused
where sums could mix."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.conv_layers import conv_corners
from kits.kernel_checks import M4, ON_M4, rng_for
from kits.kernel_layers import Rng
from kits.stored_weights import bits, dense, with_weights
from ops.conv_2d import conv_layer, relu_layer
from ops.fully_connected import fully_connected_layer
from tinyedge.kernels.armv7em.conv_4x2 import Conv2D4x2, Conv2D4x2Compact, Conv2D4x2Unrolled
from tinyedge.kernels.armv7em.conv_low_bits import (
    Conv2D4x2Int2,
    Conv2D4x2Int4,
    Conv2D4x2Int4Compact,
    Conv2D4x2Int4Unrolled,
)
from tinyedge.kernels.armv7em.fully_connected import FullyConnectedPairs
from tinyedge.kernels.armv7em.fully_connected_int4 import FullyConnectedInt4
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

INT4 = (Conv2D4x2Int4(), Conv2D4x2Int4Compact(), Conv2D4x2Int4Unrolled())
POINTWISE: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": "valid"}


def connected(rng: Rng, **wanted: Any) -> Layer:
    layer = fully_connected_layer(rng, **{"weight_zero_point": 0, "corners": False, **wanted})
    p = layer.params
    return dataclasses.replace(layer, params=dataclasses.replace(p, shift=np.minimum(p.shift, -1).astype(np.int32)))


def conv_layers(rng: Rng, width: int) -> list[Layer]:
    """Every remainder of channels, taps beyond 512, the corners of conv_2d_4x2."""
    layers = [
        *(conv_layer(rng, size=(3, 3), input_channels=8, output_channels=n, **POINTWISE) for n in (4, 5, 6, 7, 9)),
        *(conv_layer(rng, size=(2, 3), input_channels=n, output_channels=4, **POINTWISE) for n in range(1, 18)),
        conv_layer(rng, size=(3, 4), kernel=(3, 3), input_channels=64, output_channels=4, dilation=(1, 1)),
        *conv_corners(rng, conv_layer, relu_layer),
    ]
    return [with_weights(rng, layer, bits(width)) for layer in layers]


@pytest.mark.slow
def test_int4_convolutions_are_exact(tmp_path: Path) -> None:
    rng = rng_for("int4")
    layers = conv_layers(rng, 4)
    assert len(ON_M4.fitting(INT4[0], layers, 30)) > 30
    ON_M4.check_kernels(INT4, layers, tmp_path, rng, "zig")


@pytest.mark.slow
def test_int2_convolutions_are_exact(tmp_path: Path) -> None:
    rng = rng_for("int2")
    layers = ON_M4.fitting(Conv2D4x2Int2(), conv_layers(rng, 2), 30)
    ON_M4.check_kernel(Conv2D4x2Int2(), layers, tmp_path, rng)


def test_fully_connected_layers_are_exact(tmp_path: Path) -> None:
    rng = rng_for("fully connected")
    sizes = [(inputs, outputs) for inputs in (1, 2, 3, 4, 5, 7, 8, 12) for outputs in (1, 2, 3, 4, 5)]
    layers = [connected(rng, batches=1, inputs=inputs, outputs=outputs) for inputs, outputs in sizes]
    layers += [connected(rng, batches=3, inputs=8, outputs=6), connected(rng, batches=1, inputs=500, outputs=10)]
    layers += [connected(rng, batches=1, inputs=20, outputs=7, per_output=True, limits=(-20, 90))]
    stored = ON_M4.fitting(FullyConnectedInt4(), [with_weights(rng, layer, bits(4)) for layer in layers], 35)
    ON_M4.check_kernel(FullyConnectedInt4(), stored, tmp_path, rng)


def test_the_lowest_weight_is_taken_where_there_is_room(tmp_path: Path) -> None:
    rng = rng_for("-8")
    layer = conv_layer(rng, size=(3, 3), input_channels=8, output_channels=8, **POINTWISE)
    weights = rng.integers(-8, 8, layer.params.weights.shape).astype(np.int8)
    weights[1], weights[2] = -1, -8
    assert "a weight of -8" in INT4[0].fits(replaced(layer, weights=weights), M4)
    weights[1::4] = np.abs(weights[1::4]) % 8
    ON_M4.check_kernel(INT4[0], [replaced(layer, weights=weights)], tmp_path, rng)


def replaced(layer: Layer, **values: Any) -> Layer:
    return dataclasses.replace(layer, params=dataclasses.replace(layer.params, **values))


BARS: list[tuple[Kernel, Kernel, int, dict[str, Any], float, float, float]] = [
    # of int8, stored, bits, layer; at most so many times the instructions, cycles, constants
    (Conv2D4x2(), INT4[0], 4, {"size": (25, 5), "kernel": (1, 1), "channels": (64, 64)}, 1.12, 1.05, 0.60),
    (Conv2D4x2(), INT4[0], 4, {"size": (16, 16), "kernel": (3, 3), "channels": (16, 16)}, 1.12, 1.05, 0.60),
    (Conv2D4x2Unrolled(), INT4[2], 4, {"size": (25, 5), "kernel": (1, 1), "channels": (64, 64)}, 1.12, 1.05, 0.60),
    (Conv2D4x2Compact(), INT4[1], 4, {"size": (25, 5), "kernel": (1, 1), "channels": (64, 64)}, 1.12, 1.05, 0.60),
    (Conv2D4x2(), Conv2D4x2Int2(), 2, {"size": (25, 5), "kernel": (1, 1), "channels": (64, 64)}, 1.16, 1.05, 0.38),
    (Conv2D4x2(), Conv2D4x2Int2(), 2, {"size": (16, 16), "kernel": (3, 3), "channels": (16, 16)}, 1.18, 1.05, 0.34),
    (FullyConnectedPairs(), FullyConnectedInt4(), 4, {"inputs": 640, "outputs": 128}, 1.15, 1.03, 0.60),
    (FullyConnectedPairs(), FullyConnectedInt4(), 4, {"inputs": 128, "outputs": 128}, 1.15, 1.03, 0.60),
]


@pytest.mark.slow
def test_cost_little_more_time_than_int8_and_about_half_the_bytes(tmp_path: Path) -> None:
    rng = rng_for("bars")
    for plain, stored, width, shape, *most in BARS:
        if "kernel" in shape:
            sizes = {"input_channels": shape["channels"][0], "output_channels": shape["channels"][1]}
            geometry = {name: shape[name] for name in ("size", "kernel")}
            layer = relu_layer(rng, stride=(1, 1), dilation=(1, 1), padding="same", **geometry, **sizes)
        else:
            layer = connected(rng, batches=1, per_output=False, **shape)
        in_int8 = with_weights(rng, layer, dense, healthy=True)
        in_bits = with_weights(rng, layer, bits(width), healthy=True)
        (before,) = ON_M4.counts(plain, [in_int8], tmp_path, rng)
        (after,) = ON_M4.check_costs(stored, [in_bits], tmp_path, rng, percent=3)
        constants = stored.cost(in_bits, M4).constant_bytes / plain.cost(in_int8, M4).constant_bytes
        found = (after.instructions / before.instructions, after.cycles / before.cycles, constants)
        assert all(ratio <= limit for ratio, limit in zip(found, most, strict=True)), (stored.name, shape, found)
        assert stored.scratch_bytes(in_bits, M4) == plain.scratch_bytes(in_int8, M4)
        ON_M4.check_code_bytes(stored, [in_bits], tmp_path)


def test_what_a_layer_costs_stored_and_unpacked() -> None:
    rng = rng_for("storage")
    layer = with_weights(rng, relu_layer(rng, size=(4, 4), input_channels=8, output_channels=8, **POINTWISE), bits(4))
    storage = INT4[0].cost(layer, M4).storage
    assert storage is not None
    assert (storage.form, storage.stored_bytes, storage.unpacked_bytes) == ("int4", 32, 64)
    assert Conv2D4x2().cost(layer, M4).storage is None


REFUSED: list[tuple[Kernel, dict[str, Any], str]] = [
    (INT4[0], {"weights": 8}, "weights reach from 0 to 8, beyond 4 bits"),
    (INT4[0], {"weights": -9}, "beyond 4 bits"),
    (INT4[0], {"bias": 1 << 19}, "sums of a fourth channel reach"),
    (INT4[0], {"bias": 1 << 23}, "kept apart up to 8,388,607"),
    (Conv2D4x2Int2(), {"weights": 2}, "beyond 2 bits"),
    (Conv2D4x2Int2(), {"weights": -3}, "beyond 2 bits"),
    (Conv2D4x2Int2(), {"bias": 1 << 23}, "kept apart up to 8,388,607"),
]


@pytest.mark.parametrize(("kernel", "changed", "reason"), REFUSED)
def test_refuses(kernel: Kernel, changed: dict[str, int], reason: str) -> None:
    rng = rng_for("refused")
    plain = relu_layer(rng, size=(4, 4), input_channels=4, output_channels=4, **POINTWISE)
    layer = with_weights(rng, plain, bits(2), healthy=True)
    assert not kernel.fits(layer, M4)
    values = {name: np.full_like(getattr(layer.params, name), value) for name, value in changed.items()}
    assert reason in kernel.fits(replaced(layer, **values), M4)


def test_rows_with_large_sums_take_the_wide_form(tmp_path: Path) -> None:
    """So do weights of -8 beside negative ones; sums beyond 2**23 are refused."""
    rng = rng_for("rows")
    kernel = FullyConnectedInt4()
    layers = [connected(rng, batches=1, inputs=inputs, outputs=7) for inputs in (9, 16, 1200)]
    narrow = with_weights(rng, layers[1], bits(4))
    large = replaced(narrow, bias=np.array([0, 0, 0, 1 << 19, 0, 0, 0], np.int32))
    names = {kernel.cost(layer, M4).shared_code[0][0] for layer in (narrow, large)}
    assert len(names) == 2
    crowded = [with_weights(rng, layer, lambda rng, count: rng.integers(-8, 8, count, np.int8)) for layer in layers]
    ON_M4.check_kernel(kernel, [large, *crowded], tmp_path, rng)
    ON_M4.check_costs(kernel, crowded[2:], tmp_path, rng, percent=3)
    assert "2**23" in kernel.fits(replaced(narrow, bias=np.full(7, 1 << 23, np.int32)), M4)
