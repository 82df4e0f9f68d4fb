"""Transposes that undo each other or move nothing are reshapes; several in a row are one."""

from __future__ import annotations

import itertools

import pytest

from kits.net import Net, assert_same_outputs
from tinyedge.graph.ir import Graph
from tinyedge.optimize import optimize_graph
from tinyedge.optimize.merge_transposes import merge_transposes

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def names(graph: Graph) -> list[str]:
    return [operator.name for operator in optimize_graph(graph).operators]


def test_to_and_fro_is_nothing() -> None:
    net = Net()
    turned = net.transpose(net.transpose(net.input((1, 5, 4, 3)), FIRST), LAST)
    before = net.graph(net.reduce(turned, "mean", (1, 2)))
    after = merge_transposes(before)
    assert names(after) == ["mean"]
    assert_same_outputs(before, after)


@pytest.mark.parametrize(("shape", "order"), [((1, 7, 1, 3), (0, 2, 1, 3)), ((1, 6, 1, 1), FIRST), ((2, 5), (0, 1))])
def test_axes_of_one_element_change_places_for_nothing(shape: tuple[int, ...], order: tuple[int, ...]) -> None:
    net = Net()
    before = net.graph(net.transpose(net.input(shape), order))
    after = merge_transposes(before)
    assert names(after) == ["reshape"]
    assert_same_outputs(before, after)


def test_reshapes_between_are_followed() -> None:
    """As PyTorch's one-dimensional convolutions come: channels first, an axis put in, channels last again."""
    net = Net()
    channels_first = net.transpose(net.input((1, 9, 4)), (0, 2, 1))
    before = net.graph(net.transpose(net.reshape(channels_first, (1, 4, 1, 9)), LAST))
    after = merge_transposes(before)
    assert names(after) == ["reshape"]
    assert_same_outputs(before, after)


@pytest.mark.parametrize("orders", list(itertools.product([(2, 0, 1), (1, 0, 2)], repeat=2)))
def test_two_in_a_row_are_one_at_most(orders: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    net = Net()
    before = net.graph(net.transpose(net.transpose(net.input((2, 3, 4)), orders[0]), orders[1]))
    after = merge_transposes(before)
    assert len(names(after)) == 1
    assert_same_outputs(before, after)


def test_four_in_a_row_are_one() -> None:
    net = Net()
    key = net.input((2, 3, 4))
    for _ in range(4):
        key = net.transpose(key, (2, 0, 1))
    before = net.graph(key)
    after = merge_transposes(before)
    assert names(after) == ["transpose"]
    assert_same_outputs(before, after)


def test_what_others_read_in_between_stays() -> None:
    net = Net()
    turned = net.transpose(net.input((2, 3, 4)), (2, 0, 1))
    before = net.graph(turned, net.transpose(turned, (2, 0, 1)))
    assert merge_transposes(before) is before


def test_one_that_moves_stays() -> None:
    net = Net()
    before = net.graph(net.transpose(net.input((2, 3, 4)), (0, 2, 1)))
    assert merge_transposes(before) is before
