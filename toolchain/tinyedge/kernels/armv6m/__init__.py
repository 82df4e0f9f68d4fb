"""Kernels for Cortex-M0+ (Armv6-M): functions emitted as Thumb-1 assembler, a technique a file."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.discovery import find_kernels

KERNELS: tuple[Kernel, ...] = find_kernels(__name__, __path__)
