"""Kernels in plain C99 for every core: thin callers of the functions under firmware_templates/runtime/portable/."""

from __future__ import annotations

from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.discovery import find_kernels

KERNELS: tuple[Kernel, ...] = find_kernels(__name__, __path__)
