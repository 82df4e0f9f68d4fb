"""The registry of kernels: what can run an operator on a core, cheapest chosen by the planner."""

from __future__ import annotations

from tinyedge.kernels import armv6m, armv7em, armv81m, portable
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

KERNELS: tuple[Kernel, ...] = (*armv6m.KERNELS, *armv81m.KERNELS, *armv7em.KERNELS, *portable.KERNELS)
"""every kernel, those of single cores in front"""


def candidates(layer: Layer) -> tuple[Kernel, ...]:
    """The kernels that serve the layer's operator; whether they fit it is theirs to say."""
    return tuple(kernel for kernel in KERNELS if layer.name in kernel.operators)
