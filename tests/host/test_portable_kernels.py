"""Portable kernels against the numpy reference, byte for byte, natively and under sanitizers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kits.host_kernels import HostRunner
from kits.kernel_cases import NATIVE, Case, check_exact, count_mismatches, make_case
from kits.operators import KERNEL_CASES, LAYERS
from tinyedge.graph.reader import read_model
from tinyedge.kernels.contract import Kernel, cheapest_first
from tinyedge.kernels.portable import KERNELS
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
Rng = np.random.Generator


def _maker(kernel: Kernel) -> Callable[[Rng], Layer]:
    """A maker of layers of the kernel's operators, drawn at random."""
    own = KERNEL_CASES[kernel.name].layers if kernel.name in KERNEL_CASES else None
    names = [name for name in kernel.operators if name in LAYERS]
    return own or (lambda rng: LAYERS[names[int(rng.integers(len(names)))]](rng))


def _fitting(kernel: Kernel, rng: Rng, count: int) -> list[Layer]:
    """Random layers that the kernel runs; at least half of those drawn must be."""
    drawn = [_maker(kernel)(rng) for _ in range(2 * count)]
    fitting = [layer for layer in drawn if not kernel.fits(layer, NATIVE)]
    assert len(fitting) >= count
    return fitting[:count]


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> HostRunner:
    return HostRunner(tmp_path_factory.mktemp("host_kernels"))


def _corners(name: str, rng: Rng) -> list[Layer]:
    make = KERNEL_CASES[name].corners if name in KERNEL_CASES else None
    return make(rng) if make else []


@pytest.mark.parametrize("name", BY_NAME)
def test_kernel_equals_the_reference(name: str, runner: HostRunner) -> None:
    rng = np.random.default_rng(sum(name.encode()))
    kernel = BY_NAME[name]
    layers = _corners(name, rng) + _fitting(kernel, rng, 60)
    check_exact([make_case(layer, kernel) for layer in layers], runner, rng)


def _overlapping(kernel: Kernel, layers: list[Layer], closer: int) -> list[Case]:
    """Cases whose output starts as near below each input as the kernel allows, or `closer` by some bytes."""
    cases = []
    for layer in layers:
        for index in range(len(layer.inputs)):
            in_place = kernel.in_place_offset(layer, NATIVE, index)
            if in_place is not None:
                step = max(tensor.dtype.bytes for tensor in (*layer.inputs, *layer.outputs))
                cases.append(make_case(layer, kernel, overlap=in_place - closer, shared_input=index, alignment=step))
    return cases


OVERLAPPING = sorted(kernel.name for kernel in KERNELS if type(kernel).in_place_offset is not Kernel.in_place_offset)
"""kernels whose output may touch an input"""


@pytest.mark.parametrize("name", OVERLAPPING)
def test_output_may_lie_as_low_as_the_in_place_offset_says(name: str, runner: HostRunner) -> None:
    rng = np.random.default_rng(1 + sum(name.encode()))
    kernel = BY_NAME[name]
    layers = _corners(name, rng) + _fitting(kernel, rng, 60)
    check_exact(_overlapping(kernel, layers, 0), runner, rng)


SENSITIVE = {name: cases.sensitive for name, cases in KERNEL_CASES.items() if cases.sensitive}
"""layers by kernel in which a byte that is overwritten too early shows in the output"""


@pytest.mark.parametrize("name", SENSITIVE)
def test_one_byte_closer_than_the_in_place_offset_is_wrong(name: str, runner: HostRunner) -> None:
    """So in-place offsets are not larger than they need be. An in-place offset of 0 is only the end of the scale."""
    rng = np.random.default_rng(2 + sum(name.encode()))
    kernel = BY_NAME[name]
    drawn = [SENSITIVE[name](rng) for _ in range(90)]
    layers = [layer for layer in drawn if not kernel.fits(layer, NATIVE) and kernel.in_place_offset(layer, NATIVE, 0)]
    cases = _overlapping(kernel, layers, 1)
    assert len(cases) >= 12
    mismatches = count_mismatches(cases, runner, rng, samples=16)
    unharmed = [case.title for case, count in zip(cases, mismatches, strict=True) if not count]
    assert not unharmed, f"{len(unharmed)} of {len(cases)} cases are right even closer, e.g.\n" + "\n".join(
        unharmed[:5]
    )


@pytest.mark.parametrize(
    "file", ["kws_ref_model", "pretrainedResnet_quant", "vww_96_int8", "ad01_int8", "hello_world_int8"]
)
def test_layers_of_real_models(file: str, shared_models: Path, runner: HostRunner) -> None:
    """Each layer by the cheapest portable kernel that fits it."""
    layers = parse_graph(read_model((shared_models / f"{file}.tflite").read_bytes(), file))
    cases = []
    for layer in layers:
        fitting = [kernel for kernel in KERNELS if layer.name in kernel.operators and not kernel.fits(layer, NATIVE)]
        kernel, _ = cheapest_first([(kernel, kernel.cost(layer, NATIVE)) for kernel in fitting])[0]
        cases.append(make_case(layer, kernel))
    check_exact(cases, runner, np.random.default_rng(3), samples=2)
