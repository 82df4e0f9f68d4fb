"""Kernels for Cortex-M0+ (Armv6-M): functions emitted as Thumb-1 assembler, a technique a file."""

from __future__ import annotations

from tinyedge.kernels.armv6m import add, conv_immediate, conv_stream, depthwise, fully_connected
from tinyedge.kernels.contract import Kernel

KERNELS: tuple[Kernel, ...] = (
    *add.KERNELS,
    *conv_immediate.KERNELS,
    *conv_stream.KERNELS,
    *depthwise.KERNELS,
    *fully_connected.KERNELS,
)
