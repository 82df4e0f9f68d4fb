"""Portable kernels for cores without DSP instructions: right on real models, and their costs as the emulator counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kits.core_kernels import CoreRunner
from kits.kernel_cases import check_exact, make_case
from kits.kernel_layers import Rng, random_inputs
from kits.stored_weights import bits, pruned, shared, with_weights
from ops.conv_2d import blocks_layer
from ops.depthwise_conv_2d import depthwise_3x3_layer
from ops.fully_connected import connected_blocks_layer
from tinyedge.boards import CORES
from tinyedge.graph.reader import read_model
from tinyedge.kernels.contract import Kernel, cheapest_first
from tinyedge.kernels.portable import KERNELS
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.optimize import optimize_graph

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
PERCENT = 10
MEASURED = ("cortex-m0plus", "cortex-m3", "cortex-m4f", "rv32imc")


def _convolutions(rng: Rng) -> list[Layer]:
    """A kernel of one run, gathered windows, a ring in three ways, in place."""
    plain = {"stride": (1, 1), "dilation": (1, 1), "corners": False}
    return [
        blocks_layer(rng, size=(15, 5), kernel=(1, 1), input_channels=32, output_channels=16, **plain),
        blocks_layer(rng, size=(12, 10), kernel=(5, 4), padding="same", input_channels=1, output_channels=16, **plain),
        blocks_layer(rng, size=(8, 8), kernel=(3, 3), padding="same", input_channels=16, output_channels=16, **plain),
        blocks_layer(rng, size=(8, 7), kernel=(3, 3), padding="same", input_channels=3, output_channels=10, **plain),
        blocks_layer(rng, size=(9, 8), kernel=(3, 3), padding="valid", input_channels=8, output_channels=4, **plain),
    ]


def _depthwise(rng: Rng) -> list[Layer]:
    return [
        depthwise_3x3_layer(rng, size=(12, 5), stride=(1, 1), padding="same", input_channels=16, corners=False),
        depthwise_3x3_layer(rng, size=(9, 9), stride=(2, 2), padding="same", input_channels=8, corners=False),
    ]


def _connected(rng: Rng) -> list[Layer]:
    return [
        connected_blocks_layer(rng, batches=1, inputs=64, outputs=12, corners=False),
        connected_blocks_layer(rng, batches=2, inputs=16, outputs=33, corners=False),
    ]


def _of_4_bits(make: Callable[[Rng], list[Layer]]) -> Callable[[Rng], list[Layer]]:
    return lambda rng: [with_weights(rng, layer, bits(4)) for layer in make(rng)[:3]]


LAYERS: dict[str, Callable[[Rng], list[Layer]]] = {
    "portable/conv_2d_blocks_4x2": _convolutions,
    "portable/conv_2d_blocks_2x2": _convolutions,
    "portable/depthwise_conv_2d_3x3": _depthwise,
    "portable/fully_connected_blocks": _connected,
    "portable/conv_2d_int4": _of_4_bits(_convolutions),
    "portable/fully_connected_int4": _of_4_bits(_connected),
    "portable/conv_2d_clusters": lambda rng: [with_weights(rng, layer, shared(16)) for layer in _convolutions(rng)[:3]],
    "portable/conv_2d_bitmap": lambda rng: [with_weights(rng, layer, pruned(0.75)) for layer in _convolutions(rng)[:3]],
}


STORED = tuple(name for name in LAYERS if name.endswith(("_int4", "_clusters", "_bitmap")))


@pytest.mark.parametrize("core", MEASURED)
def test_costs_are_as_the_emulator_counts(core: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    pairs = [(BY_NAME[name], layer) for name, make in LAYERS.items() for layer in make(rng)]
    pairs = [(kernel, layer) for kernel, layer in pairs if not kernel.fits(layer, CORES[core])]
    cases = [make_case(layer, kernel, CORES[core]) for kernel, layer in pairs]
    runner = CoreRunner(tmp_path, CORES[core])
    runner(cases, [(number, case.arena(random_inputs(rng, case.layer))) for number, case in enumerate(cases)])
    for case, count in zip(cases, runner.counts, strict=True):
        stated = case.kernel.cost(case.layer, case.core).cycles
        assert abs(stated - count.cycles) <= PERCENT / 100 * count.cycles, (
            f"{case.title}: {stated:,} cycles stated, {count.cycles:,} counted"
        )


@pytest.mark.parametrize(
    ("name", "core"),
    [
        (name, core)
        for name in LAYERS
        for core in MEASURED
        if not (CORES[core].has_dsp and name.endswith("_3x3")) and (name not in STORED or core == "cortex-m0plus")
    ],
)
def test_code_is_as_large_as_stated(name: str, core: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    kernel = BY_NAME[name]
    layer = LAYERS[name](rng)[0]
    sizes = CoreRunner(tmp_path, CORES[core]).function_sizes([make_case(layer, kernel, CORES[core])])
    shared_code = kernel.cost(layer, CORES[core]).shared_code
    parts = ("block", "multiply_pair", "filter_channel", "copy_channel", *(stem for stem, _ in shared_code))
    actual = sum(sizes.get(part, 0) for part in parts)
    stated = sum(size for _, size in shared_code)
    assert abs(stated - actual) <= PERCENT / 100 * actual, f"{stated} B stated, {actual} B in the ELF"


@pytest.mark.parametrize(
    ("core", "name", "most"),
    [("rv32imc", "portable/conv_2d_blocks_4x2", 3.3), ("cortex-m3", "portable/conv_2d_blocks_2x2", 2.6)],
)
def test_sums_stay_in_registers(core: str, name: str, most: float, tmp_path: Path) -> None:
    """Instructions a multiplication, all in all: spilled sums would cost a store and a load each."""
    rng = np.random.default_rng(7)
    layer = blocks_layer(
        rng, size=(8, 8), kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding="same", input_channels=32,
        output_channels=16, corners=False,
    )  # fmt: skip
    case = make_case(layer, BY_NAME[name], CORES[core])
    runner = CoreRunner(tmp_path, CORES[core])
    runner([case], [(0, case.arena(random_inputs(rng, layer)))])
    assert runner.counts[0].instructions <= most * layer.macs


@pytest.mark.parametrize("core", ["cortex-m3", "rv32imc"])
@pytest.mark.parametrize("model", ["kws_ref_model", "pretrainedResnet_quant"])
def test_real_models_by_the_cheapest_kernels(model: str, core: str, shared_models: Path, tmp_path: Path) -> None:
    """Every layer, on a core whose boards have no room for all of these models."""
    graph = optimize_graph(read_model((shared_models / f"{model}.tflite").read_bytes(), model))
    cases = []
    for layer in parse_graph(graph):
        fitting = [k for k in KERNELS if layer.name in k.operators and not k.fits(layer, CORES[core])]
        kernel: Kernel = cheapest_first([(k, k.cost(layer, CORES[core])) for k in fitting])[0][0]
        cases.append(make_case(layer, kernel, CORES[core]))
    used = {case.kernel.name for case in cases}
    assert used & set(LAYERS), "no layer is run by a kernel for cores without DSP instructions"
    check_exact(cases, CoreRunner(tmp_path, CORES[core]), np.random.default_rng(8), samples=1)
