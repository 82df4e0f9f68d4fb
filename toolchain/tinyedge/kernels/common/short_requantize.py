"""Where te_short_output_s8 gives the very bits of te_output_s8, and the constants it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.common.c_text import Value
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.kernels.contract import Constant
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected

SUM_LIMIT = 1 << 30
"""sums are doubled in 32 bits"""

Params = Conv2D | DepthwiseConv2D | FullyConnected


def filter_rows(params: Params) -> npt.NDArray[np.int64]:
    """The weights with a row for each output channel, less the weights' zero point."""
    if isinstance(params, DepthwiseConv2D):
        return params.weights.astype(np.int64).reshape(-1, params.output_channels).T
    rows = params.weights.astype(np.int64).reshape(len(params.weights), -1)
    return rows - params.weight_zero_point if isinstance(params, FullyConnected) else rows


def short_reason(params: Params) -> str:
    """Why a layer's sums cannot be requantized in short; empty when they can."""
    scaled = params.multiplier != 0
    if np.any(scaled & (params.shift >= 0)):
        shift = int(params.shift[scaled].max())
        return f"a channel is scaled with a shift of {shift}, the kernel takes shifts to the right"
    rows = filter_rows(params)
    bias = params.bias.astype(np.int64) - params.input_zero_point * rows.sum(axis=1)
    largest = int((np.abs(bias) + 128 * np.abs(rows).sum(axis=1)).max())
    return f"sums reach {largest:,}, the kernel takes those below {SUM_LIMIT:,}" if largest >= SUM_LIMIT else ""


def short_constants(prefix: str, params: Params) -> tuple[Constant, Constant, Constant]:
    """Per output channel: the bias with the input's zero point folded in, the multiplier, one less than the shift."""
    bias = folded_bias(params.bias, filter_rows(params), params.input_zero_point)
    shift: npt.NDArray[Any] = np.where(params.multiplier == 0, 0, -1 - params.shift)
    return (
        Constant(f"{prefix}_bias", "int32_t", bias, 4, "bias"),
        Constant(f"{prefix}_multiplier", "int32_t", np.asarray(params.multiplier, np.int32)),
        Constant(f"{prefix}_shift", "uint8_t", shift.astype(np.uint8), 1),
    )


def short_members(prefix: str, params: Params) -> dict[str, Value]:
    """Those constants, and the range of the output, as members of a parameter struct."""
    return {
        "bias": f"{prefix}_bias",
        "multiplier": f"{prefix}_multiplier",
        "shift": f"{prefix}_shift",
        "range": {
            "zero_point": params.output_zero_point,
            "min": params.activation_min,
            "max": params.activation_max,
        },
    }
