"""Kernels for cores with DSP extension (Cortex-M4, M7, M33): functions emitted as assembler, a technique a file."""

from __future__ import annotations

from tinyedge.kernels.armv7em import fully_connected
from tinyedge.kernels.contract import Kernel

KERNELS: tuple[Kernel, ...] = (*fully_connected.KERNELS,)
