"""Checks that every kernel of kernels/armv6m/ has to pass, on an emulated Cortex-M0+."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kits.core_kernels import CoreRunner
from kits.kernel_cases import check_exact, make_case
from kits.kernel_layers import Rng, random_inputs
from tinyedge.boards import CORES
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

M0 = CORES["cortex-m0plus"]


def fitting(kernel: Kernel, layers: Sequence[Layer], at_least: int) -> list[Layer]:
    """Those of some layers that the kernel runs on a Cortex-M0+."""
    found = [layer for layer in layers if not kernel.fits(layer, M0)]
    assert len(found) >= at_least, f"{len(found)} of {len(layers)} fit: {[kernel.fits(layer, M0) for layer in layers]}"
    return found


def check_kernel(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, compiler: str = "zig") -> None:
    """Bit-exact with the tensors apart, and with the output as near to each input as the kernel allows."""
    apart = [make_case(layer, kernel, M0) for layer in layers]
    near = [
        make_case(layer, kernel, M0, overlap=in_place, shared_input=index)
        for layer in layers
        for index in range(len(layer.inputs))
        if (in_place := kernel.in_place_offset(layer, M0, index)) is not None
    ]
    check_exact([*apart, *near], CoreRunner(folder, M0, compiler), rng)


def check_costs(
    kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, percent: float = 10.0
) -> list[tuple[int, int]]:
    """The stated cycles and bytes of code are those of the timing model and the ELF, within some percent.

    Returns: per layer counted instructions and modelled cycles
    """
    cases = [make_case(layer, kernel, M0) for layer in layers]
    runner = CoreRunner(folder, M0)
    runner(cases, [(number, case.arena(random_inputs(rng, case.layer))) for number, case in enumerate(cases)])
    sizes = runner.function_sizes(cases)
    for layer, count in zip(layers, runner.counts, strict=True):
        cost, cycles = kernel.cost(layer, M0), count.cycles
        assert abs(cost.cycles - cycles) <= percent / 100 * cycles, f"{layer}: {cost.cycles} said, {cycles} taken"
        for name, stated in cost.shared_code:
            if name in sizes:
                assert abs(stated - sizes[name]) <= percent / 100 * sizes[name], f"`{name}` has {sizes[name]} B"
    return [(count.instructions, count.cycles) for count in runner.counts]
