"""Kernels in plain C99 for every core: thin callers of the functions under firmware_templates/runtime/portable/."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.portable import (
    add,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    lookup,
    mean,
    pad,
    pool_2d,
    requantize,
    reshape,
    softmax,
)

KERNELS: tuple[Kernel, ...] = (
    *add.KERNELS,
    *conv_2d.KERNELS,
    *depthwise_conv_2d.KERNELS,
    *fully_connected.KERNELS,
    *lookup.KERNELS,
    *mean.KERNELS,
    *pad.KERNELS,
    *pool_2d.KERNELS,
    *requantize.KERNELS,
    *reshape.KERNELS,
    *softmax.KERNELS,
)
