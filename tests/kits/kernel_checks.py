"""Checks that every kernel of a core's folder has to pass, on that core: `ON_M0`, `ON_M4` and `ON_M55`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np

from kits.core_kernels import CoreRunner, Count
from kits.kernel_cases import Case, Runner, check_exact, count_mismatches, make_case
from kits.kernel_layers import Rng, random_inputs
from kits.qemu_kernels import QemuRunner
from tinyedge.boards import CORES, Core
from tinyedge.graph.reader import read_model
from tinyedge.kernels.contract import Kernel, Operands
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.optimize import optimize_graph

M0, M4, M55 = CORES["cortex-m0plus"], CORES["cortex-m4f"], CORES["cortex-m55"]
MOST_TITLES = 5


class CountingRunner(Runner, Protocol):
    """Runs cases and says of each trial what it took."""

    counts: list[Count]

    def function_sizes(self, cases: Sequence[Case]) -> dict[str, int]: ...


class Counted(NamedTuple):
    """What one run of a layer takes, and what the kernel's cost says of it in the core's unit."""

    instructions: int
    cycles: int
    stated: int


@dataclass(frozen=True)
class Checks:
    """The checks on one core.

    unit     what costs of the core's kernels are compared with
    samples  random inputs of a case
    """

    core: Core
    runner: Callable[[Path, str], CountingRunner]
    unit: Literal["cycles", "instructions"] = "cycles"
    samples: int = 3

    def fitting(self, kernel: Kernel, layers: Sequence[Layer], at_least: int) -> list[Layer]:
        """Those of some layers that the kernel runs on the core."""
        reasons = [kernel.fits(layer, self.core) for layer in layers]
        found = [layer for layer, reason in zip(layers, reasons, strict=True) if not reason]
        assert len(found) >= at_least, f"{len(found)} of {len(layers)} fit: {reasons}"
        return found

    def overlapping(self, kernel: Kernel, layers: Sequence[Layer]) -> list[Case]:
        """Cases whose output starts as near below each input as the kernel allows."""
        return [
            make_case(layer, kernel, self.core, overlap=in_place, shared_input=index)
            for layer in layers
            for index in range(len(layer.inputs))
            if (in_place := kernel.in_place_offset(layer, self.core, index)) is not None
        ]

    def check_kernel(
        self, kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, compiler: str = "zig"
    ) -> None:
        """Bit-exact with the tensors apart, and with the output as near to each input as the kernel allows."""
        check_exact(self._all_cases(kernel, layers), self.runner(folder, compiler), rng, self.samples)

    def check_kernels(
        self, kernels: Sequence[Kernel], layers: Sequence[Layer], folder: Path, rng: Rng, compiler: str
    ) -> None:
        """Bit-exact wherever one of the kernels fits, all in one run."""
        cases = [
            case for kernel in kernels for case in self._all_cases(kernel, self.fitting(kernel, layers, at_least=0))
        ]
        check_exact(cases, self.runner(folder, compiler), rng, self.samples)

    def _all_cases(self, kernel: Kernel, layers: Sequence[Layer]) -> list[Case]:
        apart = [make_case(layer, kernel, self.core) for layer in layers]
        return [*apart, *self.overlapping(kernel, layers)]

    def check_offsets_are_tight(
        self, kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, step: int = 4
    ) -> None:
        """With the output nearer by `step` bytes, every one of the layers (in which each byte counts) goes wrong."""
        cases = [
            make_case(layer, kernel, self.core, overlap=in_place - step, alignment=step)
            for layer in layers
            if (in_place := kernel.in_place_offset(layer, self.core, 0))
        ]
        assert cases
        mismatches = count_mismatches(cases, self.runner(folder, "zig"), rng, samples=12)
        unharmed = [case.title for case, count in zip(cases, mismatches, strict=True) if not count]
        assert not unharmed, "right even closer: " + "\n".join(unharmed[:MOST_TITLES])

    def counts(self, kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng) -> list[Counted]:
        """Per layer what it takes, and the cost that the kernel states."""
        cases = [make_case(layer, kernel, self.core) for layer in layers]
        runner = self.runner(folder, "zig")
        runner(cases, [(number, case.arena(random_inputs(rng, case.layer))) for number, case in enumerate(cases)])
        return [
            Counted(count.instructions, count.cycles, kernel.cost(layer, self.core).cycles)
            for count, layer in zip(runner.counts, layers, strict=True)
        ]

    def check_costs(
        self, kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, percent: float = 10.0
    ) -> list[Counted]:
        """The stated cost is within some percent of what the emulator counts; what it counted."""
        found = self.counts(kernel, layers, folder, rng)
        for layer, counted in zip(layers, found, strict=True):
            taken = int(getattr(counted, self.unit))
            assert abs(counted.stated - taken) <= percent / 100 * taken, (
                f"{kernel.name} {layer.outputs[0].shape}: {counted.stated} said, {taken} taken"
            )
        return found

    def check_code_bytes(self, kernel: Kernel, layers: Sequence[Layer], folder: Path, percent: float = 10.0) -> None:
        """The stated size of the code that layers share is within some percent of what is in the ELF."""
        sizes = self.runner(folder, "zig").function_sizes([make_case(layer, kernel, self.core) for layer in layers])
        for name, stated in {item for layer in layers for item in kernel.cost(layer, self.core).shared_code}:
            actual = sizes[name]
            assert abs(stated - actual) <= percent / 100 * actual, f"`{name}`: {stated} B said, {actual} B in the ELF"


ON_M0 = Checks(M0, lambda folder, compiler: CoreRunner(folder, M0, compiler))
ON_M4 = Checks(M4, lambda folder, compiler: CoreRunner(folder, M4, compiler))
ON_M55 = Checks(M55, QemuRunner, "instructions", samples=2)


def loop_lines(kernel: Kernel, layer: Layer, comment: str) -> list[str]:
    """The instructions behind a comment of the emitted assembler, up to the next comment."""
    case = make_case(layer, kernel, M4)
    code = kernel.emit(layer, M4, Operands(("in",) * len(case.inputs), ("out",), "scratch", "te_test"))
    lines = [line.strip() for function in code.assembler for line in function.lines]
    behind = lines[lines.index(f"/* {comment} */") + 1 :]
    return list(itertools.takewhile(lambda line: not line.startswith("/*"), behind))


def model_layers(folder: Path, model: str, name: str) -> list[Layer]:
    """The layers of one operator in a real model, after all passes."""
    path = folder / f"{model}.tflite"
    graph = optimize_graph(read_model(path.read_bytes(), path.stem))
    return [layer for layer in parse_graph(graph) if layer.name == name]


def rng_for(name: str) -> Rng:
    return np.random.default_rng(sum(name.encode()))
