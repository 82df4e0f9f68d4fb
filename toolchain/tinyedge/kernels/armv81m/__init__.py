"""Kernels for cores with Helium (Cortex-M55), the vector extension of Armv8.1-M."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.discovery import find_kernels

KERNELS: tuple[Kernel, ...] = find_kernels(__name__, __path__)
