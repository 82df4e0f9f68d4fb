"""Kernels for cores with DSP extension (Cortex-M4, M7, M33): functions emitted as assembler, a technique a file."""

from __future__ import annotations

from tinyedge.discovery import collect
from tinyedge.kernels.contract import Kernel

KERNELS: tuple[Kernel, ...] = tuple(kernel for kernels in collect(__name__, "KERNELS") for kernel in kernels)
"""of all files of this folder"""
