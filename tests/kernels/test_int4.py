"""Weights of int4 on a core with DSP: packed where bytes count, taken by the DSP kernels where time does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.core_kernels import CoreRunner
from kits.kernel_cases import check_exact, make_case
from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import Optimize
from tinyedge.boards import CORES
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.kernels import KERNELS
from tinyedge.kernels.portable.int4 import pack
from tinyedge.ops import parse_graph
from tinyedge.optimize import optimize_graph
from tinyedge.plan import make_plan

CORE = CORES["cortex-m4f"]


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Two convolutions around a depthwise one, then a fully connected layer."""
    rng = np.random.default_rng(1)
    builder = TfliteBuilder()
    source = node = builder.tensor((1, 8, 8, 4), scale=0.05, zero_point=3)
    scale = 0.05
    strides = {"padding": "same", "stride_h": 1, "stride_w": 1}
    for name, shape, output, axis, options in (
        ("conv_2d", (16, 3, 3, 4), (1, 8, 8, 16), 0, strides),
        ("depthwise_conv_2d", (1, 3, 3, 16), (1, 8, 8, 16), 3, {**strides, "depth_multiplier": 1}),
        ("conv_2d", (32, 1, 1, 16), (1, 8, 8, 32), 0, strides),
        ("fully_connected", (10, 2048), (1, 10), 0, {}),
    ):
        channels = shape[axis]
        scales = [0.015] if name == "fully_connected" else rng.uniform(0.01, 0.02, channels).astype(np.float32)
        data = rng.integers(-8, 8, shape, np.int8)
        weights = builder.tensor(shape, "int4", scale=scales, axis=axis, data=data)
        values = rng.integers(-300, 300, channels).astype(np.int32)
        bias = builder.tensor((channels,), "int32", scale=scale * np.asarray(scales), data=values)
        scale *= 0.06 * float(np.sqrt(data.size / channels))
        result = builder.tensor(output, scale=scale, zero_point=-20)
        builder.operator(name, [node, weights, bias], [result], fused_activation_function="none", **options)
        node = result
    return optimize_graph(read_model(builder.build([source], [node]), "int4"))


@pytest.mark.parametrize(
    ("optimize", "kernels"),
    [
        ("size", ["portable/conv_2d_s4", "portable/depthwise_conv_2d_s4", "portable/conv_2d_s4"]),
        ("speed", ["armv7em/conv_2d", "armv7em/depthwise", "armv7em/conv_2d", "armv7em/fully_connected"]),
    ],
)
def test_what_is_chosen(graph: Graph, optimize: Optimize, kernels: list[str]) -> None:
    plan = make_plan(graph, CORE, optimize)
    chosen = [layer.kernel.name for layer in plan.layers]
    assert all(name.startswith(start) for name, start in zip(chosen, kernels, strict=False)), chosen


def test_every_kernel_that_fits_is_exact(graph: Graph, tmp_path: Path) -> None:
    cases = [
        make_case(layer, kernel, CORE)
        for layer in parse_graph(graph)
        for kernel in KERNELS
        if layer.name in kernel.operators and not kernel.fits(layer, CORE)
    ]
    assert sum(case.kernel.name.startswith("armv7em/") for case in cases) >= 4
    check_exact(cases, CoreRunner(tmp_path, CORE), np.random.default_rng(5), samples=2)


def test_packing_loses_nothing() -> None:
    weights = np.random.default_rng(2).integers(-8, 8, (3, 5, 7), np.int8)
    packed = pack(weights)
    assert packed.shape == (3, 5, 4)
    low, high = (packed << 4).astype(np.int8) >> 4, packed >> 4
    unpacked = np.stack([low, high], axis=-1).reshape(3, 5, 8)
    np.testing.assert_array_equal(unpacked[..., :7], weights)
    assert not unpacked[..., 7].any()
