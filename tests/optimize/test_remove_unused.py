"""What no output depends on goes, with its tensors."""

from __future__ import annotations

from kits.net import Net, assert_same_outputs, weights
from tinyedge.optimize.remove_unused import remove_unused


def test_a_branch_that_leads_nowhere_goes() -> None:
    net = Net()
    image = net.input((1, 6, 6, 2))
    net.relu(net.conv(image, weights(1, 4, 3, 3, 2)))
    before = net.graph(net.softmax(net.mean(image)))
    after = remove_unused(before)
    assert [op.name for op in after.operators] == ["mean", "softmax"]
    named = {key for op in after.operators for key in (*op.inputs, *op.outputs)}
    assert set(after.tensors) == named
    assert_same_outputs(before, after)
    assert remove_unused(after) is after


def test_an_input_nobody_reads_stays_an_input() -> None:
    net = Net()
    image, other = net.input((1, 4)), net.input((1, 8))
    before = net.graph(net.relu(image))
    after = remove_unused(before)
    assert after.inputs == before.inputs
    assert other.key in after.tensors
