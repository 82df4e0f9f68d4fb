"""Constants are computed at compile time, by the reference, and never where memory is needed."""

from __future__ import annotations

import numpy as np

from kits.net import Net, Node, assert_same_outputs, weights
from tinyedge.optimize.fold_constants import fold_constants


def constant_node(net: Net, values: np.ndarray) -> Node:
    key = net.builder.tensor(values.shape, "int8", scale=0.03, zero_point=1, data=values)
    return Node(key, values.shape, 0.03, 1)


def test_a_chain_over_a_constant_becomes_one_constant() -> None:
    net = Net()
    image = net.input((1, 4, 4, 2))
    values = constant_node(net, weights(1, 1, 4, 4, 2))
    bias = net.relu(net.pad(net.reshape(values, (1, 4, 4, 2)), [(0, 0)] * 4))
    after = fold_constants(net.graph(net.add(image, bias)))
    assert [op.name for op in after.operators] == ["add"]
    folded = after.tensors[after.operators[0].inputs[1]].data
    assert folded is not None
    assert np.array_equal(folded, np.maximum(weights(1, 1, 4, 4, 2), 1))
    assert not folded.flags.writeable

    direct = Net()
    image = direct.input((1, 4, 4, 2))
    assert_same_outputs(direct.graph(direct.add(image, constant_node(direct, folded))), after)


def test_a_scalar_stays_a_scalar() -> None:
    net = Net()
    image = net.input(())
    zero = net.node((), image.scale, image.zero_point)
    net.builder.operator("zeros_like", [image.key], [zero.key])
    before = net.graph(net.add(image, zero))
    after = fold_constants(before)
    (left,) = after.operators
    folded = after.tensors[left.inputs[1]]
    assert folded.data is not None
    assert folded.data.shape == folded.shape == ()
    assert_same_outputs(before, after)


def test_a_constant_output_of_the_model_is_still_written() -> None:
    net = Net()
    image = net.input((1, 4, 4, 2))
    values = net.relu(constant_node(net, weights(1, 1, 4, 4, 2)))
    before = net.graph(net.relu(image), values)
    assert fold_constants(before) is before


def test_nothing_constant_nothing_done() -> None:
    net = Net()
    before = net.graph(net.relu(net.input((1, 4))))
    assert fold_constants(before) is before


def test_what_an_output_alone_is_made_of_stays() -> None:
    """Folded, both inputs of the add would be constants, and no kernel runs that."""
    net = Net()
    image = net.input((1, 4))
    shape = net.constant(np.array([1, 4], np.int32))
    value = net.builder.tensor((), "int8", scale=0.03, zero_point=1, data=np.array(5, np.int8))
    filled = [net.node((1, 4), 0.03, 1) for _ in range(2)]
    for node in filled:
        net.builder.operator("fill", [shape, value], [node.key])
    before = net.graph(net.relu(image), net.add(filled[0], filled[1]))
    after = fold_constants(before)
    assert [op.name for op in after.operators] == ["fill", "relu", "add"]
    assert_same_outputs(before, after)


def test_a_chain_that_ends_in_an_output_stays() -> None:
    net = Net()
    image = net.input((1, 4))
    shape = net.constant(np.array([1, 4], np.int32))
    value = net.builder.tensor((), "int8", scale=0.03, zero_point=1, data=np.array(5, np.int8))
    filled = net.node((1, 4), 0.03, 1)
    net.builder.operator("fill", [shape, value], [filled.key])
    before = net.graph(net.add(image, filled), net.relu(net.reshape(net.relu(filled), (4, 1))))
    assert fold_constants(before) is before


def test_what_only_asks_for_a_shape_is_folded() -> None:
    net = Net()
    image = net.input((1, 4))
    zeros = net.node((1, 4), 0.03, 1)
    net.builder.operator("zeros_like", [net.relu(image).key], [zeros.key])
    before = net.graph(net.add(image, zeros))
    after = fold_constants(before)
    assert [op.name for op in after.operators] == ["relu", "add"]
    assert not after.tensors[zeros.key].data.any()  # type: ignore[union-attr]
    assert_same_outputs(before, after)


def test_a_reader_that_takes_no_constant_keeps_its_operator() -> None:
    """svdf has state besides: it would run, but its input has to be computed."""
    net = Net()
    image = net.input((1, 2, 2, 1))
    shape = net.constant(np.array([1, 2, 2, 1], np.int32))
    value = net.builder.tensor((), "int8", scale=0.05, zero_point=3, data=np.array(5, np.int8))
    filled = net.node((1, 2, 2, 1), 0.05, 3)
    net.builder.operator("fill", [shape, value], [filled.key])
    joined = net.node((1, 2, 2, 2), 0.05, 3)
    net.builder.operator(
        "concatenation", [image.key, filled.key], [joined.key], axis=3, fused_activation_function="none"
    )
    state = net.builder.tensor((1, 4), "int8", scale=0.05, is_variable=True)
    features, times = (net.constant(weights(n, *size), 0.01) for n, size in ((1, (2, 4)), (2, (2, 2))))
    bias = net.builder.tensor((2,), "int32", scale=0.0005, data=np.zeros(2, np.int32))
    target = net.node((1, 2), 0.05, 3)
    flat = net.reshape(filled, (1, 4))
    keys = [flat.key, features, times, bias, state]
    net.builder.operator("svdf", keys, [target.key], rank=1, fused_activation_function="none")
    before = net.graph(joined, target)
    after = fold_constants(before)
    assert "svdf" in [op.name for op in after.operators]
    assert [op.name for op in after.operators if op.name in ("fill", "reshape")] == ["fill", "reshape"]
    assert_same_outputs(before, after)
