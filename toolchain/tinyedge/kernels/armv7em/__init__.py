"""Kernels for cores with DSP extension (Cortex-M4, M7, M33): functions emitted as assembler, a technique a file."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.discovery import find_kernels

KERNELS: tuple[Kernel, ...] = find_kernels(__name__, __path__)
