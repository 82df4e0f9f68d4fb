"""What the files of tests/ops state about each operator, found by discovery: see `ops`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

import ops
from kits.draft import Entry
from kits.kernel_layers import KernelCases, Maker, parsed
from tinyedge.discovery import collect

Rng = np.random.Generator
_TESTS_OF_ALL = tuple(module.name for module in pkgutil.iter_modules(ops.__path__) if module.name.startswith("test_"))
"""they use what is found here"""


def _stated(attribute: str) -> list[Any]:
    return collect("ops", attribute, skip=_TESTS_OF_ALL)


def _merged(attribute: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for table in _stated(attribute):
        doubled = sorted(set(found) & set(table))
        assert not doubled, f"two files of tests/ops state {attribute} of {', '.join(doubled)}"
        found |= table
    return found


MODELS: Mapping[str, Callable[[Rng], bytes]] = MappingProxyType(_merged("MODELS"))
"""random models; the rules of the operator may refuse a few of them"""
NODES: Mapping[str, Entry] = MappingProxyType(_merged("NODES"))
"""what adds an operator to a draft"""
LAYERS: Mapping[str, Maker] = MappingProxyType(
    {**{name: parsed(model) for name, model in MODELS.items()}, **_merged("LAYERS")}
)
"""random layers"""
CORNERS: tuple[bytes, ...] = tuple(model for models in _stated("CORNERS") for model in models)
REFUSALS: tuple[tuple[bytes, str], ...] = tuple(pair for pairs in _stated("REFUSALS") for pair in pairs)
KERNEL_CASES: Mapping[str, KernelCases] = MappingProxyType(
    {
        **{f"portable/{name}": KernelCases(LAYERS[name]) for name in LAYERS if name.endswith(("_s16", "_s4"))},
        **_merged("KERNEL_CASES"),
    }
)
"""what tests of a kernel draw beside LAYERS of its operators"""
