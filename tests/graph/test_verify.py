"""Unsound graphs are refused with the operator and the tensor named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Operator, Quantization, Tensor
from tinyedge.graph.verify import verify

Q = Quantization((0.1,), (0,))


def sound() -> Graph:
    weights = np.zeros((2, 3), np.int8)
    tensors = {
        0: Tensor(0, "in", (1, 3), DType.INT8, Q),
        1: Tensor(1, "weights", (2, 3), DType.INT8, Quantization((0.1, 0.2), (0, 0)), weights),
        2: Tensor(2, "hidden", (1, 2), DType.INT8, Q),
        3: Tensor(3, "out", (2,), DType.INT8, Q),
    }
    operators = (
        Operator(0, "fully_connected", (0, 1, -1), (2,)),
        Operator(1, "reshape", (2,), (3,)),
    )
    return Graph("m", tensors, operators, (0,), (3,))


def with_tensor(key: int, **changes: object) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        return graph.evolve(tensors={**graph.tensors, key: replace(graph.tensors[key], **changes)})  # type: ignore[arg-type]

    return change


def with_operator(position: int, **changes: object) -> Callable[[Graph], Graph]:
    def change(graph: Graph) -> Graph:
        operators = list(graph.operators)
        operators[position] = replace(operators[position], **changes)  # type: ignore[arg-type]
        return graph.evolve(operators=tuple(operators))

    return change


def test_a_sound_graph_passes() -> None:
    verify(sound())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g.evolve(operators=()), "has no operators"),
        (lambda g: g.evolve(inputs=(7,)), "name tensor 7, which does not exist"),
        (lambda g: g.evolve(inputs=(1,)), "tensor 1 `weights` int8 [2, 3] is a constant"),
        (lambda g: g.evolve(inputs=(0, 0)), "listed twice"),
        (lambda g: g.evolve(outputs=()), "1 inputs and 0 outputs"),
        (lambda g: g.evolve(operators=g.operators[:1]), "output tensor 3 `out` int8 [2] is never written"),
        (
            lambda g: g.evolve(operators=g.operators[::-1]),
            "operator 1 `reshape` reads tensor 2 `hidden` int8 [1, 2] before it is written",
        ),
        (with_operator(0, inputs=(9,)), "operator 0 `fully_connected` reads tensor 9, which does not exist"),
        (with_operator(0, inputs=(-2,)), "reads tensor -2, which does not exist"),
        (with_operator(1, outputs=()), "operator 1 `reshape` writes nothing"),
        (with_operator(1, outputs=(9,)), "writes tensor 9, which does not exist"),
        (with_operator(1, outputs=(2,)), "writes tensor 2 `hidden` int8 [1, 2], which is an input, a constant or"),
        (with_operator(1, outputs=(1,)), "writes tensor 1 `weights`"),
        (with_operator(1, outputs=(3, 3)), "writes tensor 3 `out`"),
        (with_tensor(3, shape=(0,)), "writes tensor 3 `out` int8 [0]: it has no elements"),
        (with_tensor(0, shape=(1, 0)), "int8 [1, 0] has no elements"),
        (with_tensor(2, index=5), "carries the index 5"),
        (with_tensor(1, data=np.zeros((3, 2), np.int8)), "data of shape [3, 2]"),
        (with_tensor(1, data=np.zeros((2, 3), np.int16)), "data of type int16"),
        (with_tensor(1, quantization=Quantization((0.1, 0.2, 0.3), (0, 0, 0))), "3 scales along axis 0 of length 2"),
        (with_tensor(1, quantization=Quantization((0.1, 0.2), (0, 0), axis=2)), "along axis 2, its axes are 0 to 1"),
        (with_tensor(1, quantization=Quantization((0.1, 0.2), (0,))), "2 scales and 1 zero points"),
        (with_tensor(2, quantization=Quantization((0.0,), (0,))), "scale 0 (channel 0)"),
        (with_tensor(2, quantization=Quantization((-1.0,), (0,))), "scale -1 (channel 0)"),
        (with_tensor(2, quantization=Quantization((float("nan"),), (0,))), "scale nan"),
        (with_tensor(2, quantization=Quantization((float("inf"),), (0,))), "scale inf"),
        (with_tensor(2, quantization=Quantization((0.1,), (128,))), "zero point 128 (channel 0) lies outside -128 to"),
    ],
)
def test_unsound_graphs(change: Callable[[Graph], Graph], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        verify(change(sound()))
    assert words in caught.value.what
    assert caught.value.what.startswith("model `m`")
    assert caught.value.hint


def test_a_bias_scale_may_vanish() -> None:
    """The product of two small scales; nothing computes with it."""
    bias = Tensor(1, "bias", (2, 3), DType.INT32, Quantization((0.0,), (0,)), np.zeros((2, 3), np.int32))
    verify(sound().evolve(tensors={**sound().tensors, 1: bias}))


def test_variables_may_be_read_before_they_are_written() -> None:
    graph = with_operator(1, inputs=(2, 4))(sound())
    state = Tensor(4, "state", (1, 2), DType.INT8, Q, is_variable=True)
    verify(graph.evolve(tensors={**graph.tensors, 4: state}))
