"""Kernels in plain C99 for every core: thin callers of the functions under firmware_templates/runtime/portable/."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.portable import (
    conv_2d,
    depthwise_conv_2d,
    fully_connected,
    pool_2d,
    reshape,
    softmax,
)

KERNELS: tuple[Kernel, ...] = (
    *conv_2d.KERNELS,
    *depthwise_conv_2d.KERNELS,
    *fully_connected.KERNELS,
    *pool_2d.KERNELS,
    *reshape.KERNELS,
    *softmax.KERNELS,
)
