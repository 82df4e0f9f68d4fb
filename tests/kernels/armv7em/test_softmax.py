"""Softmax by table: exact for fine and coarse scales, long rows and ties, at the stated cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.core_kernels import CoreRunner
from kits.kernel_cases import make_case
from kits.kernel_checks import M4, ON_M4, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.softmax import softmax_layer
from tinyedge.arithmetic.fixed_point import one_over_one_plus
from tinyedge.kernels.armv7em.softmax import SoftmaxTable, nonzero_exponentials
from tinyedge.ops.reference import run_layer

KERNEL = SoftmaxTable()


def test_is_exact(tmp_path: Path) -> None:
    rng = rng_for("softmax")
    layers = [softmax_layer(rng) for _ in range(40)] + [softmax_layer(rng, rows=1, depth=d) for d in (255, 511, 4095)]
    assert {len(nonzero_exponentials(layer.params)) < 256 for layer in layers} == {True, False}
    ON_M4.check_kernel(KERNEL, ON_M4.fitting(KERNEL, layers, len(layers)), tmp_path, rng)


def constant_rows(rng: Rng) -> list[np.ndarray]:
    """One value throughout, and one that stands out."""
    return [np.full((1, 600), value, np.int8) for value in (-128, 0, 127)] + [
        np.where(np.arange(600) == 7, 127, -128).astype(np.int8)[None, :]
    ]


def test_reciprocals_that_count_are_one_half_or_more() -> None:
    """They fall with the sum, which ends in four zeros at least when it is shifted to the top."""
    largest = (1 << 31) - 16 * np.arange(1, 2000, dtype=np.int64)
    assert one_over_one_plus(largest).min() >= 1 << 30
    assert one_over_one_plus(np.array([(1 << 31) - 1])).min() < 1 << 30  # what rules out the sums beyond


def test_rows_of_ties_are_exact(tmp_path: Path) -> None:
    rng = rng_for("ties")
    layer = softmax_layer(rng, rows=1, depth=600)
    case = make_case(layer, KERNEL, M4)
    inputs = constant_rows(rng)
    arenas = CoreRunner(tmp_path, M4)([case], [(0, case.arena([values])) for values in inputs])
    for values, arena in zip(inputs, arenas, strict=True):
        assert np.array_equal(case.outputs(arena)[0], run_layer(layer, (values,))[0])


@pytest.mark.parametrize("model", ["kws_ref_model", "pretrainedResnet_quant", "vww_96_int8"])
def test_is_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "softmax")
    ON_M4.check_kernel(KERNEL, ON_M4.fitting(KERNEL, layers, 1), tmp_path, rng_for(model))


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = [softmax_layer(rng, rows=rows, depth=depth) for rows, depth in ((1, 12), (3, 40), (1, 200))]
    ON_M4.check_costs(KERNEL, layers, tmp_path, rng, percent=20)


def test_twelve_classes_take_few_instructions(shared_models: Path, tmp_path: Path) -> None:
    layer = model_layers(shared_models, "kws_ref_model", "softmax")[0]
    assert ON_M4.counts(KERNEL, [layer], tmp_path, rng_for("twelve"))[0].instructions < 560
