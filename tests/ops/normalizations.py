"""l2_normalization and log_softmax: over the last axis."""

from __future__ import annotations

import numpy as np
import pytest

from kits import tflm
from kits.kernel_layers import Rng
from kits.nodes import fixed
from kits.operator_models import INT8, NO_ACTIVATION, Operand, one_to_one, quantized, row, shape_of
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph

UNIT = Operand("int8", 1 / 128)
LOGS = Operand("int8", 1 / 16, 127)


def test_l2_normalization_of_zeros_and_of_ends() -> None:
    tflite = row("l2_normalization", 4, Operand("int8", 0.1, -128), UNIT, rows=4, **NO_ACTIVATION)
    values = np.array([[-128] * 4, [127] * 4, [-127, -128, -128, -128], [-126, -128, -128, -128]], np.int8)
    output = tflm.assert_same(tflite, values)
    assert output[0].tolist() == [0] * 4
    assert output[1].tolist() == [64] * 4
    assert output[2].tolist() == [127, 0, 0, 0]


def test_l2_normalization_of_the_longest_row() -> None:
    tflm.assert_same(
        row("l2_normalization", 33025, Operand("int8", 0.1, -128), UNIT, **NO_ACTIVATION),
        np.full((1, 33025), 127, np.int8),
    )


@pytest.mark.parametrize("scale", [2.0**-24, 0.001, 0.05, 1.0, 31.0, 1e6])
def test_log_softmax_from_fine_to_coarse(scale: float) -> None:
    rng = np.random.default_rng(3)
    for depth in (1, 2, 700, 4095):
        tflite = row("log_softmax", depth, Operand("int8", scale, 5), LOGS)
        tflm.assert_same(tflite, rng.integers(-128, 128, (1, depth)).astype(np.int8))
        tflm.assert_same(tflite, np.full((1, depth), 9, np.int8))


def test_log_softmax_is_the_logarithm_of_softmax() -> None:
    values = np.arange(-128, 128, 16).astype(np.int8).reshape(1, 16)
    output = tflm.assert_same(row("log_softmax", 16, Operand("int8", 0.05), LOGS), values)
    real = 0.05 * values.astype(np.float64)
    exact = real - np.log(np.exp(real).sum())
    assert np.abs((output.astype(np.float64) - 127) / 16 - exact).max() <= 1 / 32 + 1e-3


def test_table_of_exponentials_ends_where_they_vanish() -> None:
    (layer,) = parse_graph(read_model(row("log_softmax", 16, Operand("int8", 0.5), LOGS), "m"))
    assert layer.params.exponentials[0] == 1 << 19
    assert 20 < len(layer.params.exponentials) < 40
    assert (layer.params.exponentials > 0).all()


REFUSALS: list[tuple[bytes, str]] = [
    (row("l2_normalization", 4, INT8, INT8, **NO_ACTIVATION), "output has scale 1/128"),
    (row("l2_normalization", 4, INT8, UNIT, fused_activation_function="relu"), "no fused activation"),
    (row("l2_normalization", 33026, INT8, UNIT, **NO_ACTIVATION), "at most 33025 values"),
    (row("log_softmax", 4, INT8, INT8), "output has scale 1/16"),
    (row("log_softmax", 4096, INT8, LOGS), "1 to 4095 values"),
    (row("log_softmax", 4, Operand("int8", 2.0**-25), LOGS), "more than 2\\*\\*-25"),
]
"""models that are refused, and words of the rule they break"""


def l2_normalization_model(rng: Rng) -> bytes:
    shape = (*shape_of(rng, rank=3), int(rng.choice([1, 2, 5, 16, 300])))
    source, target = quantized(rng, "int8"), Operand("int8", 1 / 128)
    return one_to_one(rng, "l2_normalization", shape, source, target, fused_activation_function="none")


def log_softmax_model(rng: Rng) -> bytes:
    shape = (*shape_of(rng, rank=2), int(rng.choice([1, 2, 5, 12, 300])))
    return one_to_one(rng, "log_softmax", shape, quantized(rng, "int8", -18, 4), Operand("int8", 1 / 16, 127))


MODELS = {"l2_normalization": l2_normalization_model, "log_softmax": log_softmax_model}
NODES = {
    "l2_normalization": fixed("l2_normalization", 1 / 128, 0, last_axis=True, fused_activation_function="none"),
    "log_softmax": fixed("log_softmax", 16 / 256, 127, last_axis=True),
}
