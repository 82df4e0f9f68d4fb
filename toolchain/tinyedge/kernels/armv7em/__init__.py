"""Kernels for cores with DSP extension (Cortex-M4, M7, M33): functions emitted as assembler, a technique a file."""

from __future__ import annotations

from tinyedge.kernels.armv7em import (
    add,
    conv_4x2,
    conv_winograd,
    depthwise_3x3,
    depthwise_compact,
    fully_connected,
    lookup,
    mean,
    pool_2d,
    softmax,
)
from tinyedge.kernels.contract import Kernel

KERNELS: tuple[Kernel, ...] = (
    *add.KERNELS,
    *conv_4x2.KERNELS,
    *conv_winograd.KERNELS,
    *depthwise_3x3.KERNELS,
    *depthwise_compact.KERNELS,
    *fully_connected.KERNELS,
    *lookup.KERNELS,
    *mean.KERNELS,
    *pool_2d.KERNELS,
    *softmax.KERNELS,
)
