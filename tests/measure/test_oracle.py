"""The oracle in its child process."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from kits.tflite_builder import TfliteBuilder
from tinyedge import process
from tinyedge.errors import ToolError, UsageError
from tinyedge.graph.reader import read_model
from tinyedge.install import package_command
from tinyedge.measure.oracle import oracle_available, run_oracle
from tinyedge.ops.reference import run_graph

needs_oracle = pytest.mark.skipif(
    not oracle_available(), reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)"
)


def adder(shape: tuple[int, ...] = (1, 8)) -> bytes:
    builder = TfliteBuilder()
    x, y = builder.tensor(shape, scale=0.1), builder.tensor(shape, scale=0.2, zero_point=4)
    total = builder.tensor(shape, scale=0.3)
    copy = builder.tensor((int(np.prod(shape)),), scale=0.3)
    builder.operator("add", [x, y], [total], fused_activation_function="none")
    builder.operator("reshape", [total], [copy])
    return builder.build([x, y], [total, copy])


def samples(count: int, shape: tuple[int, ...] = (1, 8)) -> list[tuple[npt.NDArray[Any], ...]]:
    rng = np.random.default_rng(7)
    return [tuple(rng.integers(-128, 128, shape).astype(np.int8) for _ in range(2)) for _ in range(count)]


@needs_oracle
def test_several_samples_inputs_and_outputs() -> None:
    tflite, inputs = adder(), samples(30)
    graph = read_model(tflite, "m")
    results = run_oracle(tflite, inputs)
    assert len(results) == 30
    for sample, outputs in zip(inputs, results, strict=True):
        values = run_graph(graph, sample)
        assert len(outputs) == 2
        for key, output in zip(graph.outputs, outputs, strict=True):
            assert output.dtype == np.int8
            assert output.shape == graph.tensors[key].shape
            np.testing.assert_array_equal(output, values[key])


@needs_oracle
def test_an_arena_larger_than_the_first_tried() -> None:
    shape = (1, 1200, 1200)
    tflite, inputs = adder(shape), samples(1, shape)
    graph = read_model(tflite, "m")
    (outputs,) = run_oracle(tflite, inputs)
    np.testing.assert_array_equal(outputs[0], run_graph(graph, inputs[0])[graph.outputs[0]])


@needs_oracle
def test_a_model_it_cannot_run_is_an_error_with_its_reason() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor((1, 4), scale=0.1), builder.tensor((1, 4), scale=0.1)
    builder.operator("NoSuchOperator", [x], [y])
    with pytest.raises(ToolError) as caught:
        run_oracle(builder.build([x], [y]), [(np.zeros((1, 4), np.int8),)])
    assert "TensorFlow Lite Micro on the host" in caught.value.what
    assert "Failed to get registration from op code CUSTOM" in caught.value.what
    assert caught.value.hint


@needs_oracle
def test_a_crash_of_the_interpreter_is_an_error_not_a_crash() -> None:
    """A softmax scale below its limit ends the interpreter at a failed check."""
    builder = TfliteBuilder()
    x, y = builder.tensor((1, 4), scale=2.0**-40), builder.tensor((1, 4), scale=1 / 256, zero_point=-128)
    builder.operator("softmax", [x], [y], beta=1.0)
    with pytest.raises(ToolError, match="was ended by SIG"):
        run_oracle(builder.build([x], [y]), [(np.zeros((1, 4), np.int8),)])


@needs_oracle
def test_an_input_of_the_wrong_shape() -> None:
    with pytest.raises(ToolError, match="ended with exit code 1"):
        run_oracle(adder(), [(np.zeros((1, 9), np.int8), np.zeros((1, 8), np.int8))])


def test_no_samples_need_no_oracle() -> None:
    assert run_oracle(b"", []) == []


def test_a_missing_wheel_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not oracle_available()
    with pytest.raises(ToolError) as caught:
        run_oracle(adder(), samples(1))
    assert "`tflite-micro`, is not installed" in caught.value.what
    assert f"`{package_command('tflite-micro', prerelease=True)}`" in caught.value.hint


def test_a_dry_run_has_no_outputs_to_give() -> None:
    with process.configured(dry_run=True), pytest.raises(UsageError):
        run_oracle(adder(), samples(1))
