"""Reshapes go where the layers around them stay exactly what they are."""

from __future__ import annotations

from kits.net import Net, Node, assert_same_outputs, weights
from tinyedge.graph.ir import Graph
from tinyedge.optimize.remove_reshapes import remove_reshapes


def names(graph: Graph) -> list[str]:
    return [op.name for op in graph.operators]


def test_flatten_before_fully_connected_goes() -> None:
    net = Net()
    image = net.input((1, 4, 4, 2))
    flat = net.reshape(net.conv(image, weights(1, 3, 3, 3, 2)), (1, 48))
    before = net.graph(net.fully_connected(flat, weights(2, 5, 48)))
    after = remove_reshapes(before)
    assert names(after) == ["conv_2d", "fully_connected"]
    assert_same_outputs(before, after)


def test_flatten_of_an_input_before_fully_connected_goes() -> None:
    net = Net()
    image = net.input((1, 4, 4, 1))
    before = net.graph(net.fully_connected(net.reshape(image, (1, 16)), weights(2, 5, 16)))
    after = remove_reshapes(before)
    assert names(after) == ["fully_connected"]
    assert after.input_tensors()[0].shape == (1, 4, 4, 1)
    assert_same_outputs(before, after)


def test_several_reshapes_in_a_row_go() -> None:
    net = Net()
    image = net.input((1, 4, 4, 2))
    flat = net.reshape(net.conv(image, weights(1, 3, 3, 3, 2)), (1, 48))
    flat = net.reshape(net.reshape(flat, (2, 24)), (1, 1, 48))
    before = net.graph(net.fully_connected(flat, weights(2, 5, 48)))
    after = remove_reshapes(before)
    assert names(after) == ["conv_2d", "fully_connected"]
    assert_same_outputs(before, after)


def test_a_reshape_into_a_convolution_stays() -> None:
    net = Net()
    image = net.reshape(net.input((1, 32)), (1, 4, 4, 2))
    before = net.graph(net.conv(image, weights(1, 3, 3, 3, 2)))
    assert remove_reshapes(before) is before


def test_a_reshape_that_writes_an_output_keeps_its_shape_and_name() -> None:
    net = Net()
    image = net.input((1, 4, 4, 2))
    before = net.graph(net.reshape(net.pool(image, "max_pool_2d", 4), (1, 2)))
    after = remove_reshapes(before)
    assert_same_outputs(before, after)
    assert after.output_tensors()[0].name == before.output_tensors()[0].name


def test_a_reshape_between_input_and_output_stays() -> None:
    net = Net()
    image = net.input((1, 4, 4, 2))
    before = net.graph(net.reshape(image, (1, 32)), net.relu(image))
    after = remove_reshapes(before)
    assert "reshape" in names(after)
    assert_same_outputs(before, after)


def test_a_softmax_over_other_rows_keeps_its_reshape() -> None:
    net = Net()
    scores = net.reshape(net.fully_connected(net.input((1, 8)), weights(2, 6, 8)), (2, 3))
    before = net.graph(net.softmax(scores))
    after = remove_reshapes(before)
    assert "reshape" in names(after)
    assert_same_outputs(before, after)


def test_what_asks_for_the_shape_keeps_its_reshape() -> None:
    """Two numbers either way, but others."""
    net = Net()
    scores = net.reshape(net.fully_connected(net.input((1, 8)), weights(2, 6, 8)), (2, 3))
    sizes = Node(net.builder.tensor((2,), "int32"), (2,), 1.0, 0)
    net.builder.operator("shape", [scores.key], [sizes.key])
    before = net.graph(sizes, net.relu(scores))
    assert_same_outputs(before, remove_reshapes(before))


def test_a_reshape_of_a_variable_stays() -> None:
    """It keeps what the variable held then; who reads behind it may run after the variable was written again."""
    net = Net()
    image = net.input((1, 4))
    state = net.builder.tensor((1, 4), "int8", scale=0.05, zero_point=3, is_variable=True)
    kept = Node(state, (1, 4), 0.05, 3)
    flat = net.reshape(kept, (2, 2))
    net.builder.operator("relu", [image.key], [state])
    before = net.graph(net.relu(flat))
    assert remove_reshapes(before) is before
