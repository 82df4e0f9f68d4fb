"""Finds kernels: what a module of a core's folder lists as its KERNELS, so that adding one touches no other file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable

from tinyedge.kernels.contract import Kernel


def find_kernels(package: str, path: Iterable[str]) -> tuple[Kernel, ...]:
    """The KERNELS of all modules of a package, by the names of modules; those without are helpers.

    path  `__path__` of the package
    """
    names = sorted(module.name for module in pkgutil.iter_modules(path))
    modules = [importlib.import_module(f"{package}.{name}") for name in names]
    return tuple(kernel for module in modules for kernel in getattr(module, "KERNELS", ()))
