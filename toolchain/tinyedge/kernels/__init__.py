"""The registry of kernels: what can run an operator on a core, cheapest chosen by the planner."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tinyedge.discovery import collect
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

KERNELS: tuple[Kernel, ...] = tuple(kernel for kernels in collect(__name__, "KERNELS") for kernel in kernels)
"""every kernel, core by core in the order of the folders' names; a folder adds its own by its KERNELS"""

CONTROL_FLOW: Mapping[str, str] = MappingProxyType({"if": "portable/branch", "while": "portable/loop"})
"""by operator, the kernels that the planner makes of plans: what they run are kernels of the registry"""


def candidates(layer: Layer) -> tuple[Kernel, ...]:
    """The kernels that serve the layer's operator; whether they fit it is theirs to say."""
    return tuple(kernel for kernel in KERNELS if layer.name in kernel.operators)
