"""Checks that every kernel of kernels/armv81m/ has to pass, on the Cortex-M55 that QEMU emulates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kits.kernel_cases import Case, check_exact, count_mismatches, make_case
from kits.kernel_layers import Rng, random_inputs
from kits.qemu_kernels import QemuRunner
from tinyedge.boards import CORES
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

M55 = CORES["cortex-m55"]


def fitting(kernel: Kernel, layers: Sequence[Layer], at_least: int) -> list[Layer]:
    """Those of some layers that the kernel runs on a Cortex-M55."""
    found = [layer for layer in layers if not kernel.fits(layer, M55)]
    assert len(found) >= at_least, f"{len(found)} of {len(layers)} fit: {[kernel.fits(layer, M55) for layer in layers]}"
    return found


def cases_of(kernel: Kernel, layers: Sequence[Layer]) -> list[Case]:
    """The tensors apart, and the output as near to each input as the kernel allows."""
    apart = [make_case(layer, kernel, M55) for layer in layers]
    overlapping = [
        make_case(layer, kernel, M55, overlap=in_place, shared_input=index)
        for layer in layers
        for index in range(len(layer.inputs))
        if (in_place := kernel.in_place_offset(layer, M55, index)) is not None
    ]
    return [*apart, *overlapping]


def check_kernels(kernels: Sequence[Kernel], layers: Sequence[Layer], folder: Path, rng: Rng, compiler: str) -> None:
    """Bit-exact wherever one of the kernels fits, all in one start of QEMU."""
    cases = [
        case
        for kernel in kernels
        for case in cases_of(kernel, [layer for layer in layers if not kernel.fits(layer, M55)])
    ]
    check_exact(cases, QemuRunner(folder, compiler), rng, samples=2)


def check_offsets_are_tight(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, step: int = 4) -> None:
    """With the output nearer by `step` bytes, every one of the layers (in which each byte counts) goes wrong."""
    cases = [
        make_case(layer, kernel, M55, overlap=in_place - step, alignment=step)
        for layer in layers
        if (in_place := kernel.in_place_offset(layer, M55, 0))
    ]
    assert cases
    mismatches = count_mismatches(cases, QemuRunner(folder), rng, samples=12)
    unharmed = [case.title for case, count in zip(cases, mismatches, strict=True) if not count]
    assert not unharmed, "right even closer: " + "\n".join(unharmed[:5])


def counts(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng) -> list[int]:
    """Per layer the instructions it takes."""
    cases = [make_case(layer, kernel, M55) for layer in layers]
    runner = QemuRunner(folder)
    runner(cases, [(number, case.arena(random_inputs(rng, case.layer))) for number, case in enumerate(cases)])
    return runner.counts


def check_costs(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, percent: float = 10.0) -> None:
    """The stated cost is within some percent of the instructions QEMU counts."""
    for layer, counted in zip(layers, counts(kernel, layers, folder, rng), strict=True):
        stated = kernel.cost(layer, M55).cycles
        assert abs(stated - counted) <= percent / 100 * counted, (
            f"{kernel.name} {layer.outputs[0].shape}: {stated} said, {counted} taken"
        )
