"""Operators of two operands that are a function of one value become tables."""

from __future__ import annotations

import numpy as np
import pytest

from kits.net import Net, assert_same_outputs
from tinyedge.graph.ir import Graph
from tinyedge.optimize.tabulate_pairs import tabulate_pairs

NAMES = ("add", "sub", "mul", "squared_difference", "maximum", "minimum")


def pair(name: str, *, shape: tuple[int, ...] = (1, 4, 5, 3), values: int = 1, first: bool = False) -> Graph:
    net = Net()
    source = net.input(shape)
    same = name in ("maximum", "minimum")
    scale, zero_point = (0.05, 3) if same else (0.02, -9)
    data = (np.arange(values) - 40).astype(np.int8)
    constant = net.builder.tensor((values,), "int8", scale=scale, zero_point=zero_point, data=data)
    target = net.node(shape, 0.05 if same else 0.06, 3)
    options = {} if same or name == "squared_difference" else {"fused_activation_function": "relu"}
    keys = [constant, source.key] if first else [source.key, constant]
    net.builder.operator(name, keys, [target.key], **options)
    return net.graph(target)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_single_constant(name: str, first: bool) -> None:
    before = pair(name, first=first)
    after = tabulate_pairs(before)
    assert [operator.name for operator in after.operators] == ["island"]
    assert_same_outputs(before, after)


def test_the_same_tensor_twice() -> None:
    net = Net()
    source = net.input((1, 4, 5, 3))
    target = net.node(source.shape, 0.1, -128)
    net.builder.operator("mul", [source.key, source.key], [target.key], fused_activation_function="none")
    before = net.graph(target)
    after = tabulate_pairs(before)
    assert [operator.name for operator in after.operators] == ["island"]
    assert_same_outputs(before, after)


@pytest.mark.parametrize("before", [pair("mul", values=3), pair("mul", shape=(1, 4))], ids=["several", "few elements"])
def test_others_stay(before: Graph) -> None:
    assert tabulate_pairs(before) is before
