"""Depthwise convolutions with Helium against the numpy reference, and what they take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.kernel_checks import M55, ON_M55, model_layers, rng_for
from ops.depthwise_conv_2d import depthwise_conv_2d_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv81m.depthwise_conv_2d import KERNELS, tap_groups

pytestmark = pytest.mark.toolchain
DEPTHWISE = KERNELS[0]


def test_is_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for(f"depthwise {compiler}")
    layers = [depthwise_conv_2d_layer(rng, depth_multiplier=1) for _ in range(60)]
    layers += [
        depthwise_conv_2d_layer(rng, depth_multiplier=1, input_channels=channels, kernel=(3, 3))
        for channels in (15, 16, 17, 32, 36, 64)
    ]
    layers += [
        depthwise_conv_2d_layer(
            rng, depth_multiplier=1, input_channels=channels, kernel=(3, 3), stride=(1, 1), dilation=(1, 1),
            size=(5, width), padding="same",
        )
        for channels in (4, 8)
        for width in (6, 7, 8)
    ]  # fmt: skip
    ON_M55.check_kernels(KERNELS, ON_M55.fitting(DEPTHWISE, layers, 20), tmp_path, rng, compiler)


@pytest.mark.parametrize("model", ["kws_ref_model", "vww_96_int8"])
def test_is_exact_and_costs_are_honest_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = ON_M55.fitting(DEPTHWISE, model_layers(shared_models, model, "depthwise_conv_2d"), 4)
    ON_M55.check_kernels(KERNELS, layers, tmp_path, rng_for(model), "zig")
    ON_M55.check_costs(DEPTHWISE, layers, tmp_path, rng_for(model), percent=12)


def test_nine_taps_take_8_instructions(shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, "kws_ref_model", "depthwise_conv_2d")[:1]
    assert (
        ON_M55.counts(DEPTHWISE, layers, tmp_path, rng_for("speed"))[0].instructions < 8 * layers[0].outputs[0].elements
    )


def test_groups_of_taps_fit_16_bits() -> None:
    weights = rng_for("groups").integers(-128, 128, (25, 7))
    start = 0
    for size in tap_groups(weights):
        sums = np.abs(weights[start : start + size]).sum(axis=0) * 128
        assert size == 1 or sums.max() <= 32767
        start += size
    assert start == 25


def test_refuses() -> None:
    rng = rng_for("refused")
    layer = depthwise_conv_2d_layer(rng, depth_multiplier=2)
    assert DEPTHWISE.fits(layer, M55) == "each channel has 2 filters"
    assert "no Helium" in DEPTHWISE.fits(layer, CORES["cortex-m33f"])
