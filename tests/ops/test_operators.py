"""Every operator against TensorFlow Lite Micro, by what its file states, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

from kits import tflm
from kits.operators import CORNERS, MODELS, NODES, REFUSALS
from kits.random_graph import draw
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.measure.oracle_limits import beyond_oracle
from tinyedge.ops import check

INFERENCES = 4


@pytest.mark.parametrize("operator", MODELS)
@settings(max_examples=80, deadline=None)
@given(seed=tflm.seeds)
def test_random_models_equal_tflm(operator: str, seed: int) -> None:
    tflm.assert_bit_exact(MODELS[operator](np.random.default_rng(seed)), seed)


@pytest.mark.parametrize("operator", sorted(set(NODES) - set(MODELS)))
@settings(max_examples=40, deadline=None)
@given(seed=tflm.seeds)
def test_random_nodes_equal_tflm(operator: str, seed: int) -> None:
    """Over several inferences, as some keep state."""
    model = draw(seed, 0, [operator], further=0)
    assume(not beyond_oracle(read_model(model.tflite, "m"), model.graph))
    tflm.assert_exact_over_time(model.tflite, model.samples(INFERENCES))


@pytest.mark.parametrize("tflite", CORNERS)
def test_corners_equal_tflm(tflite: bytes) -> None:
    graph = read_model(tflite, "m")
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        sample = []
        for tensor in graph.input_tensors():
            values = rng.integers(-128, 128, tensor.shape)
            sample.append(np.asarray(values > 0 if tensor.dtype.value == "bool" else values, tensor.dtype.numpy))
        tflm.assert_exact_over_time(tflite, [sample])


@pytest.mark.parametrize(("tflite", "rule"), REFUSALS)
def test_refusals(tflite: bytes, rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(tflite, "m"))
