"""Portable kernels against the numpy reference, byte for byte, natively and under sanitizers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kits.conv_layers import blocks_layer, connected_blocks_layer, depthwise_3x3_layer
from kits.host_kernels import HostRunner
from kits.kernel_cases import NATIVE, Case, check_exact, count_mismatches, make_case
from kits.kernel_layers import (
    MAKERS,
    add_layer,
    conv_2d_layer,
    depthwise_conv_2d_layer,
    float_border_layer,
    fully_connected_layer,
    lookup_layer,
    mean_layer,
    pool_2d_layer,
    requantize_layer,
    softmax_layer,
)
from kits.movement_layers import ordered_part
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.kernels.contract import Kernel, cheapest_first
from tinyedge.kernels.portable import KERNELS
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
Rng = np.random.Generator


def _wide_requantize(rng: Rng) -> Layer:
    pairs = [
        (DType.INT8, DType.UINT8),
        (DType.UINT8, DType.INT8),
        (DType.INT8, DType.INT16),
        (DType.INT8, DType.INT32),
        (DType.INT16, DType.INT8),
        (DType.INT16, DType.INT16),
        (DType.INT16, DType.INT32),
        (DType.INT32, DType.INT8),
        (DType.INT32, DType.INT16),
    ]
    return requantize_layer(rng, *pairs[int(rng.integers(len(pairs)))])


def _to_float(rng: Rng) -> Layer:
    source = (DType.INT8, DType.UINT8, DType.INT16)[int(rng.integers(3))]
    return float_border_layer(rng, source, DType.FLOAT32)


def _from_float(rng: Rng) -> Layer:
    return float_border_layer(rng, DType.FLOAT32, (DType.INT8, DType.INT16)[int(rng.integers(2))])


LAYERS: dict[str, Callable[[Rng], Layer]] = {
    **{f"portable/{name}": MAKERS[name] for name in MAKERS if name.endswith(("_s16", "_s4"))},
    "portable/conv_2d_blocks_4x2": blocks_layer,
    "portable/conv_2d_blocks_2x2": blocks_layer,
    "portable/depthwise_conv_2d_3x3": depthwise_3x3_layer,
    "portable/fully_connected_blocks": connected_blocks_layer,
    "portable/requantize_any": _wide_requantize,
    "portable/quantize_f32": _from_float,
    "portable/dequantize_f32": _to_float,
}
"""kernels whose layers are not those of MAKERS"""


def _maker(kernel: Kernel) -> Callable[[Rng], Layer]:
    """A maker of layers of the kernel's operators, drawn at random."""
    if kernel.name in LAYERS:
        return LAYERS[kernel.name]
    names = [name for name in kernel.operators if name in MAKERS]
    return lambda rng: MAKERS[names[int(rng.integers(len(names)))]](rng)


def _fitting(kernel: Kernel, rng: Rng, count: int) -> list[Layer]:
    """Random layers that the kernel runs; at least half of those drawn must be."""
    drawn = [_maker(kernel)(rng) for _ in range(2 * count)]
    fitting = [layer for layer in drawn if not kernel.fits(layer, NATIVE)]
    assert len(fitting) >= count
    return fitting[:count]


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> HostRunner:
    return HostRunner(tmp_path_factory.mktemp("host_kernels"))


def special_layers(rng: Rng) -> dict[str, list[Layer]]:
    """Shapes of real models, and corners that random ones seldom meet."""
    blocks = [
        blocks_layer(rng, size=(25, 5), kernel=(1, 1), stride=(1, 1), input_channels=64, output_channels=16),
        blocks_layer(rng, size=(49, 10), kernel=(10, 4), stride=(2, 2), dilation=(1, 1), input_channels=1),
        blocks_layer(
            rng, size=(9, 9), kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding="same", input_channels=16
        ),
        blocks_layer(
            rng, size=(9, 6), kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding="valid", input_channels=8
        ),
        blocks_layer(rng, size=(12, 9), kernel=(3, 3), dilation=(2, 3), padding="same", input_channels=20),
        blocks_layer(rng, size=(9, 9), kernel=(1, 3), stride=(3, 2), padding="same", input_channels=8),
        blocks_layer(rng, size=(1, 1), kernel=(1, 1), padding="valid", input_channels=7, output_channels=4),
        blocks_layer(rng, size=(5, 6), kernel=(3, 2), padding=(5, 7), input_channels=12),
    ]
    return {
        "portable/conv_2d": [
            conv_2d_layer(rng, size=(25, 5), kernel=(1, 1), stride=(1, 1), input_channels=64, output_channels=16),
            conv_2d_layer(rng, size=(49, 10), kernel=(10, 4), stride=(2, 2), dilation=(1, 1), input_channels=1),
            conv_2d_layer(rng, size=(9, 9), kernel=(3, 3), stride=(2, 2), padding="same", input_channels=3),
            conv_2d_layer(rng, size=(1, 40), kernel=(1, 5), padding="valid", input_channels=4, dilation=(1, 1)),
            conv_2d_layer(rng, size=(4, 6), kernel=(4, 6), padding="valid", input_channels=5, dilation=(1, 1)),
            conv_2d_layer(rng, size=(1, 1), kernel=(3, 3), padding="same", input_channels=9, output_channels=1),
            conv_2d_layer(rng, size=(5, 5), kernel=(2, 2), dilation=(3, 3), padding="same", groups=4),
        ],
        "portable/conv_2d_blocks_4x2": blocks,
        "portable/conv_2d_blocks_2x2": [
            *blocks,
            blocks_layer(rng, output_channels=2),
            blocks_layer(rng, output_channels=3),
        ],
        "portable/depthwise_conv_2d": [
            depthwise_conv_2d_layer(rng, size=(12, 7), kernel=(3, 3), input_channels=64, depth_multiplier=1),
            depthwise_conv_2d_layer(
                rng, size=(6, 6), kernel=(3, 3), padding="valid", input_channels=5, depth_multiplier=1
            ),
            depthwise_conv_2d_layer(rng, size=(3, 3), kernel=(7, 7), padding="same", depth_multiplier=1),
            depthwise_conv_2d_layer(rng, input_zero_point=0, padding="same", depth_multiplier=1),
        ],
        "portable/depthwise_conv_2d_3x3": [
            depthwise_3x3_layer(rng, size=(25, 5), stride=(1, 1), padding="same", input_channels=64),
            depthwise_3x3_layer(rng, size=(9, 12), stride=(2, 2), padding="same"),
            depthwise_3x3_layer(rng, size=(9, 12), stride=(3, 2), padding="valid"),
            depthwise_3x3_layer(rng, size=(4, 5), padding=(4, 6)),
            depthwise_3x3_layer(rng, size=(1, 1), padding="same", input_channels=1),
        ],
        "portable/depthwise_conv_2d_grouped": [
            depthwise_conv_2d_layer(
                rng, size=(49, 40), kernel=(10, 8), stride=(2, 2), input_channels=1, depth_multiplier=8
            ),
        ],
        "portable/fully_connected": [
            fully_connected_layer(rng, batches=1, inputs=640, outputs=13),
            fully_connected_layer(rng, batches=1, inputs=1, outputs=1),
            fully_connected_layer(rng, weight_zero_point=-128),
            fully_connected_layer(rng, weight_zero_point=127),
        ],
        "portable/fully_connected_blocks": [
            connected_blocks_layer(rng, batches=1, inputs=640, outputs=13),
            connected_blocks_layer(rng, batches=3, inputs=4, outputs=4),
        ],
        "portable/average_pool_2d": [
            pool_2d_layer(rng, "average_pool_2d", size=(25, 5), kernel=(25, 5), padding="valid", channels=64),
            pool_2d_layer(rng, "average_pool_2d", size=(19, 19), kernel=(19, 19), padding="valid", channels=5),
            pool_2d_layer(
                rng, "average_pool_2d", size=(19, 20), kernel=(19, 19), padding="same", stride=(7, 7), channels=6
            ),
            pool_2d_layer(rng, "average_pool_2d", size=(40, 40), kernel=(40, 40), padding="same", channels=4),
        ],
        "portable/add": [
            add_layer(rng, shapes=((1, 8, 8, 16), (1, 8, 8, 16)), constant=False),
            add_layer(rng, shapes=((1, 8, 8, 16), (16,)), constant=True),
            add_layer(rng, shapes=((2, 1, 3, 1), (1, 4, 1, 5)), constant=False),
        ],
        "portable/mean": [
            mean_layer(rng, shape=(1, 7, 7, 33), axes=(1, 2)),
            mean_layer(rng, shape=(3, 4, 5, 6), axes=(1, 3)),
            mean_layer(rng, shape=(3, 4, 5, 6), axes=(0, 1, 2, 3)),
        ],
        "portable/softmax": [
            softmax_layer(rng, rows=1, depth=511),
            softmax_layer(rng, rows=1, depth=4095),
            softmax_layer(rng, rows=30, depth=2),
        ],
        "portable/lookup": [lookup_layer(rng, elements=5000)],
    }


@pytest.mark.parametrize("name", BY_NAME)
def test_kernel_equals_the_reference(name: str, runner: HostRunner) -> None:
    rng = np.random.default_rng(sum(name.encode()))
    kernel = BY_NAME[name]
    layers = special_layers(rng).get(name, []) + _fitting(kernel, rng, 60)
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
    layers = special_layers(rng).get(name, []) + _fitting(kernel, rng, 60)
    check_exact(_overlapping(kernel, layers, 0), runner, rng)


def _every_cell_counts(rng: Rng) -> Layer:
    """A convolution that reads each cell of the input, also where its rows are copied whole."""
    return blocks_layer(rng, corners=False, stride=(1, 1), dilation=(1, 1))


SENSITIVE: dict[str, Callable[[Rng], Layer]] = {
    "portable/average_pool_2d": lambda rng: pool_2d_layer(rng, "average_pool_2d", corners=False),
    "portable/conv_2d": lambda rng: conv_2d_layer(rng, corners=False),
    "portable/conv_2d_blocks_4x2": _every_cell_counts,
    "portable/conv_2d_blocks_2x2": _every_cell_counts,
    "portable/depthwise_conv_2d": lambda rng: depthwise_conv_2d_layer(rng, depth_multiplier=1, corners=False),
    "portable/depthwise_conv_2d_grouped": lambda rng: depthwise_conv_2d_layer(rng, corners=False),
    "portable/fully_connected": lambda rng: fully_connected_layer(rng, weight_zero_point=0, corners=False),
    "portable/fully_connected_blocks": lambda rng: connected_blocks_layer(rng, corners=False),
    "portable/max_pool_2d": lambda rng: pool_2d_layer(rng, "max_pool_2d", corners=False),
    "portable/movement": lambda rng: ordered_part(rng, DType.INT8),
    "portable/pad": MAKERS["pad"],
}
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
