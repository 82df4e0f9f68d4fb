"""The proof of the linear form: what it accepts is exact for every sum, and what it must refuse it refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kits.kernel_checks import model_layers, rng_for
from kits.kernel_layers import Array
from ops.conv_2d import conv_layer, relu_layer
from tinyedge.arithmetic.quantization import requantize
from tinyedge.kernels.armv7em.conv_4x2_layout import input_bias
from tinyedge.kernels.armv7em.conv_requantize import Requantization, double_reason, linear_form
from tinyedge.kernels.common.sums import find_sums
from tinyedge.ops.conv_2d import Conv2D


def linear(form: Requantization, params: Conv2D, channel: int, sums: Array) -> Array:
    """What LSL, SMMLA, SSAT and the clamp compute."""
    assert form.fraction is not None
    scale, offset = form.factors[channel]
    high = ((sums << 8) * scale + (offset << 32)) >> 32
    assert np.abs(high).max() < 1 << 31
    return np.clip(np.clip(high >> form.fraction, -128, 127), params.activation_min, params.activation_max)


def check_all_sums(params: Conv2D, form: Requantization) -> None:
    sums = find_sums(params.weights, input_bias(params))
    for channel in range(params.output_channels):
        values = np.arange(sums.low[channel], sums.high[channel] + 1)
        expected = requantize(
            values,
            int(params.multiplier[channel]),
            int(params.shift[channel]),
            params.output_zero_point,
            params.activation_min,
            params.activation_max,
        )
        assert np.array_equal(linear(form, params, channel, values), expected)


@pytest.mark.parametrize("seed", range(12))
def test_is_exact_for_every_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    params = relu_layer(rng, size=(4, 4), kernel=(1, 1), input_channels=24, output_channels=6).params
    form = linear_form(params, find_sums(params.weights, input_bias(params)))
    assert form is not None
    check_all_sums(params, form)


@pytest.mark.parametrize("limits", [(-128, 40), (-100, 90), (-128, -128)])
def test_is_exact_with_narrower_clamps(limits: tuple[int, int]) -> None:
    rng = rng_for("clamps")
    params = relu_layer(
        rng, size=(4, 4), kernel=(1, 1), input_channels=9, output_channels=4, output_zero_point=limits[0], limits=limits
    ).params
    form = linear_form(params, find_sums(params.weights, input_bias(params)))
    assert form is not None
    check_all_sums(params, form)


def test_negative_ties_are_not_linear() -> None:
    """Values on both sides of the zero point are rounded to different sides at ties."""
    rng = rng_for("ties")
    params = conv_layer(rng, size=(4, 4), kernel=(1, 1), input_channels=24, output_zero_point=0, corners=False).params
    params = dataclasses.replace(params, activation_min=-128, activation_max=127)
    assert linear_form(params, find_sums(params.weights, input_bias(params))) is None
    assert double_reason(params) == ""


def test_sums_are_the_ends_of_all_sums() -> None:
    weights = np.array([[[[3, -2]]], [[[-1, -1]]]], np.int8)
    sums = find_sums(weights, np.array([10, 0]))
    assert sums.low.tolist() == [10 - 3 * 128 - 2 * 127, -254]
    assert sums.high.tolist() == [10 + 3 * 127 + 2 * 128, 256]
    assert sums.largest == 647


def test_shifts_that_double_rounding_cannot_do() -> None:
    params = relu_layer(rng_for("shifts")).params
    shift = params.shift.copy()
    shift[1] = 0
    assert double_reason(dataclasses.replace(params, shift=shift)).startswith("channel 1 is scaled with a shift of 0")
    multiplier = params.multiplier.copy()
    multiplier[2] = 0
    assert double_reason(dataclasses.replace(params, multiplier=multiplier)) == "a channel has a multiplier of 0"


@pytest.mark.parametrize("model", ["kws_ref_model", "pretrainedResnet_quant"])
def test_serves_every_layer_with_relu_of(model: str, shared_models: Path) -> None:
    for layer in model_layers(shared_models, model, "conv_2d"):
        params: Conv2D = layer.params
        form = linear_form(params, find_sums(params.weights, input_bias(params)))
        assert (form is not None) == (params.output_zero_point == -128)
        if form is not None:
            check_all_sums(params, form)
