"""Kernels for cores with Helium (Cortex-M55), the vector extension of Armv8.1-M."""

from __future__ import annotations

from tinyedge.discovery import collect
from tinyedge.kernels.contract import Kernel

KERNELS: tuple[Kernel, ...] = tuple(kernel for kernels in collect(__name__, "KERNELS") for kernel in kernels)
"""of all files of this folder"""
