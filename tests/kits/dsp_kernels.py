"""Checks that every kernel of kernels/armv7em/ has to pass, on an emulated Cortex-M4."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kits.core_kernels import CoreRunner
from kits.kernel_cases import Case, check_exact, count_mismatches, make_case
from kits.kernel_layers import Rng, random_inputs
from ops.depthwise_conv_2d import depthwise_conv_2d_layer
from tinyedge.boards import CORES
from tinyedge.graph.reader import read_model
from tinyedge.kernels.contract import Kernel, Operands
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.optimize import optimize_graph

M4 = CORES["cortex-m4f"]
LONGEST_TITLES = 5


def fitting(kernel: Kernel, layers: Sequence[Layer], at_least: int) -> list[Layer]:
    """Those of some layers that the kernel runs on a Cortex-M4."""
    found = [layer for layer in layers if not kernel.fits(layer, M4)]
    assert len(found) >= at_least, f"{len(found)} of {len(layers)} fit: {[kernel.fits(layer, M4) for layer in layers]}"
    return found


def overlapping(kernel: Kernel, layers: Sequence[Layer], closer: int = 0) -> list[Case]:
    """Cases whose output starts as near below each input as the kernel allows, or `closer` by some bytes."""
    return [
        make_case(layer, kernel, M4, overlap=in_place - closer, shared_input=index, alignment=1 if closer else None)
        for layer in layers
        for index in range(len(layer.inputs))
        if (in_place := kernel.in_place_offset(layer, M4, index)) is not None
    ]


def check_kernel(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, compiler: str = "zig") -> None:
    """Bit-exact with the tensors apart, and with the output as near to each input as the kernel allows."""
    apart = [make_case(layer, kernel, M4) for layer in layers]
    check_exact([*apart, *overlapping(kernel, layers)], CoreRunner(folder, M4, compiler), rng)


def check_offsets_are_tight(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, step: int = 4) -> None:
    """With the output nearer by `step` bytes, every one of the layers (in which each byte counts) goes wrong."""
    cases = [
        make_case(layer, kernel, M4, overlap=in_place - step, alignment=step)
        for layer in layers
        if (in_place := kernel.in_place_offset(layer, M4, 0))
    ]
    assert cases
    mismatches = count_mismatches(cases, CoreRunner(folder, M4), rng, samples=12)
    unharmed = [case.title for case, count in zip(cases, mismatches, strict=True) if not count]
    assert not unharmed, "right even closer: " + "\n".join(unharmed[:LONGEST_TITLES])


def counts(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng) -> list[tuple[int, int, int]]:
    """Per layer counted instructions, modelled cycles, and the cycles that the kernel's cost states."""
    cases = [make_case(layer, kernel, M4) for layer in layers]
    runner = CoreRunner(folder, M4)
    runner(cases, [(number, case.arena(random_inputs(rng, case.layer))) for number, case in enumerate(cases)])
    return [
        (count.instructions, count.cycles, kernel.cost(layer, M4).cycles)
        for count, layer in zip(runner.counts, layers, strict=True)
    ]


def check_costs(kernel: Kernel, layers: Sequence[Layer], folder: Path, rng: Rng, percent: float = 10.0) -> None:
    """The stated cycles are within some percent of what the emulator counts and the timing model makes of it."""
    for layer, (_, cycles, stated) in zip(layers, counts(kernel, layers, folder, rng), strict=True):
        assert abs(stated - cycles) <= percent / 100 * cycles, (
            f"{layer.outputs[0].shape}: {stated} said, {cycles} taken"
        )


def check_code_bytes(kernel: Kernel, layer: Layer, folder: Path, percent: float = 10.0) -> None:
    """The stated size of the code is within some percent of what is in the ELF."""
    runner = CoreRunner(folder, M4)
    sizes = runner.function_sizes([make_case(layer, kernel, M4)])
    for name, stated in kernel.cost(layer, M4).shared_code:
        actual = sizes[name]
        assert abs(stated - actual) <= percent / 100 * actual, f"`{name}`: {stated} B said, {actual} B in the ELF"


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


def depthwise_layer(rng: Rng, *, folded: bool = False, **wanted: Any) -> Layer:
    """A depthwise layer, 3x3 unless asked otherwise, whose scales shift right.

    folded  with a fused ReLU and exponents as they are in real models
    """
    given: dict[str, Any] = {"kernel": (3, 3), "dilation": (1, 1), "depth_multiplier": 1, "input_channels": 5}
    given["stride"] = (1, 1) if rng.random() < 0.6 else (2, 2)
    if folded:
        given |= {"output_zero_point": -128, "limits": (-128, 127)}
    layer = depthwise_conv_2d_layer(rng, **{**given, **wanted})
    p = layer.params
    shift = rng.integers(-10, -3, len(p.shift)) if folded else np.where(p.multiplier == 0, 0, np.minimum(p.shift, -1))
    bias = np.clip(p.bias, -20000, 20000) if folded else p.bias
    params = dataclasses.replace(p, shift=shift.astype(np.int32), bias=bias.astype(np.int32))
    return dataclasses.replace(layer, params=params)
