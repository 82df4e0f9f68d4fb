"""Kernels in plain C99 for every core: thin callers of the functions under firmware_templates/runtime/portable/."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.portable import (
    add,
    arithmetic,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    lookup,
    mean,
    movement,
    pad,
    pool_2d,
    relations,
    requantize,
    reshape,
    softmax,
)

KERNELS: tuple[Kernel, ...] = (
    *add.KERNELS,
    *arithmetic.KERNELS,
    *conv_2d.KERNELS,
    *depthwise_conv_2d.KERNELS,
    *fully_connected.KERNELS,
    *lookup.KERNELS,
    *mean.KERNELS,
    *movement.KERNELS,
    *pad.KERNELS,
    *pool_2d.KERNELS,
    *relations.KERNELS,
    *requantize.KERNELS,
    *reshape.KERNELS,
    *softmax.KERNELS,
)
