"""Kernels for cores with Helium (Cortex-M55), the vector extension of Armv8.1-M."""

from __future__ import annotations

from tinyedge.kernels.armv81m import add, conv_2d, depthwise_conv_2d, fully_connected, pool_2d
from tinyedge.kernels.contract import Kernel

KERNELS: tuple[Kernel, ...] = (
    *add.KERNELS,
    *conv_2d.KERNELS,
    *depthwise_conv_2d.KERNELS,
    *fully_connected.KERNELS,
    *pool_2d.KERNELS,
)
