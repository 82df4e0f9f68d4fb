"""Conversions go when every value comes back, and only then."""

from __future__ import annotations

from kits.net import Net, Node, assert_same_outputs, weights
from tinyedge.graph.ir import Graph
from tinyedge.optimize.remove_requantize_pairs import remove_requantize_pairs


def names(graph: Graph) -> list[str]:
    return [op.name for op in graph.operators]


def framed(net: Net, middle: Node) -> Graph:
    return net.graph(net.fully_connected(middle, weights(2, 5, middle.shape[-1])))


def test_dequantize_and_the_same_quantize_cancel() -> None:
    net = Net()
    source = net.fully_connected(net.input((1, 8)), weights(1, 6, 8))
    before = framed(net, net.quantize(net.dequantize(source), source.scale, source.zero_point))
    after = remove_requantize_pairs(before)
    assert names(after) == ["fully_connected", "fully_connected"]
    assert_same_outputs(before, after)


def test_dequantize_and_another_quantize_stay() -> None:
    net = Net()
    source = net.fully_connected(net.input((1, 8)), weights(1, 6, 8))
    before = framed(net, net.quantize(net.dequantize(source), source.scale * 1.5, source.zero_point))
    assert remove_requantize_pairs(before) is before


def test_a_quantize_that_changes_nothing_goes() -> None:
    net = Net()
    source = net.input((1, 8))
    before = framed(net, net.quantize(source, source.scale, source.zero_point))
    after = remove_requantize_pairs(before)
    assert names(after) == ["fully_connected"]
    assert_same_outputs(before, after)


def test_widening_and_back_cancels_but_narrowing_does_not() -> None:
    for factor, survivors in ((0.5, 1), (3.0, 3)):
        net = Net()
        source = net.input((1, 8))
        dtype = "int16" if factor < 1 else "int8"
        zero_point = 0 if factor < 1 else -7
        middle = net.quantize(source, source.scale * factor, zero_point, dtype)
        before = framed(net, net.quantize(middle, source.scale, source.zero_point))
        after = remove_requantize_pairs(before)
        assert len(after.operators) == survivors
        assert_same_outputs(before, after)


def test_a_pair_that_others_read_in_the_middle_is_bypassed_only() -> None:
    net = Net()
    source = net.fully_connected(net.input((1, 8)), weights(1, 6, 8))
    real = net.dequantize(source)
    back = net.quantize(real, source.scale, source.zero_point)
    before = net.graph(net.fully_connected(back, weights(2, 5, 6)), real)
    after = remove_requantize_pairs(before)
    assert names(after) == ["fully_connected", "dequantize", "fully_connected"]
    assert_same_outputs(before, after)


def test_a_pair_before_an_output_keeps_the_output() -> None:
    net = Net()
    source = net.fully_connected(net.input((1, 8)), weights(1, 6, 8))
    back = net.quantize(net.dequantize(source), source.scale, source.zero_point)
    before = net.graph(back)
    after = remove_requantize_pairs(before)
    assert names(after) == ["fully_connected"]
    assert after.outputs == before.outputs
    assert_same_outputs(before, after)


def test_a_pair_between_input_and_output_stays() -> None:
    net = Net()
    source = net.input((1, 8))
    before = net.graph(net.quantize(net.dequantize(source), source.scale, source.zero_point))
    after = remove_requantize_pairs(before)
    assert after.operators
    assert_same_outputs(before, after)
