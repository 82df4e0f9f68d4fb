"""What convolutions and fully connected layers share: filters times a vector, through te_filters_s8."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.common.c_text import Value
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.fully_connected import FullyConnected

FILTERS_STEM = "te_filters_s8"
FILTERS_CODE_BYTES = 440


def folded_bias(bias: npt.NDArray[Any], weights: npt.NDArray[Any], zero_point: int) -> npt.NDArray[np.int32]:
    """bias - zero point * sum of each output's weights, which stays in 32 bits where sums do; weights [OC, ...]."""
    sums = weights.reshape(len(weights), -1).astype(np.int64).sum(axis=1)
    return np.asarray(bias.astype(np.int64) - zero_point * sums, np.int32)


def scales_alike(p: FullyConnected) -> bool:
    """Whether one multiplier and shift serve all outputs."""
    return bool((p.multiplier == p.multiplier[0]).all() and (p.shift == p.shift[0]).all())


def filters_members(params: Conv2D | FullyConnected, prefix: str, *, taps: int, per_filter: bool) -> Value:
    """The members of te_filters, for the constants of `c_text`."""
    return {
        "weights": f"{prefix}_weights",
        "bias": f"{prefix}_bias",
        "multiplier": f"{prefix}_multiplier",
        "shift": f"{prefix}_shift",
        "taps": taps,
        "per_filter": int(per_filter),
        "output_zero_point": params.output_zero_point,
        "activation_min": params.activation_min,
        "activation_max": params.activation_max,
    }
