"""Kernels in plain C99 for every core: thin callers of the functions under firmware_templates/runtime/portable/."""

from __future__ import annotations

from tinyedge.discovery import collect
from tinyedge.kernels.contract import Kernel

KERNELS: tuple[Kernel, ...] = tuple(kernel for kernels in collect(__name__, "KERNELS") for kernel in kernels)
"""of all files of this folder"""
