"""Registries without lists: what the modules of a package state about themselves, found by looking into the folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection
from typing import Any


def collect(package: str, attribute: str, *, skip: Collection[str] = ()) -> list[Any]:
    """The values of `attribute` in the modules of a package that have one, in the order of the modules' names.

    skip  modules that are not imported: those that use what is collected

    >>> [technique.name for technique in collect("tinyedge.train.compress", "TECHNIQUE", skip=["quantize_aware"])][:2]
    ['adapt', 'cluster']
    """
    names = sorted(module.name for module in pkgutil.iter_modules(importlib.import_module(package).__path__))
    modules = [importlib.import_module(f"{package}.{name}") for name in names if name not in skip]
    return [getattr(module, attribute) for module in modules if hasattr(module, attribute)]
