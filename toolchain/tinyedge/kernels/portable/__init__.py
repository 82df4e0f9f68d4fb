"""Kernels in plain C99 for every core: thin callers of the functions under firmware_templates/runtime/portable/."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.portable import (
    add,
    arithmetic,
    cast,
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    gather,
    lookup,
    mean,
    movement,
    normalization,
    pad,
    pool_2d,
    reductions,
    relations,
    requantize,
    reshape,
    resize,
    sigmoid,
    softmax,
)

KERNELS: tuple[Kernel, ...] = (
    *add.KERNELS,
    *arithmetic.KERNELS,
    *cast.KERNELS,
    *conv_2d.KERNELS,
    *depthwise_conv_2d.KERNELS,
    *fully_connected.KERNELS,
    *gather.KERNELS,
    *lookup.KERNELS,
    *mean.KERNELS,
    *movement.KERNELS,
    *normalization.KERNELS,
    *pad.KERNELS,
    *pool_2d.KERNELS,
    *reductions.KERNELS,
    *relations.KERNELS,
    *requantize.KERNELS,
    *reshape.KERNELS,
    *resize.KERNELS,
    *sigmoid.KERNELS,
    *softmax.KERNELS,
)
