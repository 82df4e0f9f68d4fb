"""A file with two answers becomes one that stops early, whose test is one of integers."""

from __future__ import annotations

import numpy as np
import pytest

from kits.exits import CLASSES, early_exit, two_answers
from kits.net import Net, weights
from tinyedge.errors import ModelError
from tinyedge.graph.early_exit import find_early_exit
from tinyedge.graph.reader import read_model
from tinyedge.measure.oracle import oracle_available, run_oracle
from tinyedge.ops.reference import run_graph
from tinyedge.train.compress.early_exit import choose_threshold, lead_of
from tinyedge.train.exit_file import side_logits, with_early_exit

SAMPLES = np.random.default_rng(4).integers(-128, 128, (40, 1, 6, 6, 4)).astype(np.int8)


def answers(tflite: bytes) -> list[list[np.ndarray]]:
    """Of each output to each sample."""
    graph = read_model(tflite, "m")
    found = [run_graph(graph, [sample]) for sample in SAMPLES]
    return [[values[key] for values in found] for key in graph.outputs]


def leads() -> np.ndarray:
    _, logits = answers(side_logits(two_answers()))
    return lead_of(np.stack(logits).reshape(len(SAMPLES), CLASSES).astype(int))


def test_the_side_head_answers_where_its_lead_is_above_the_threshold() -> None:
    late, early = answers(two_answers())
    ordered = np.sort(leads())
    for threshold in (0, int(ordered[10]), int(ordered[20]), int(ordered[30]), 254):
        tflite = early_exit(threshold)
        (said,) = answers(tflite)
        found = find_early_exit(read_model(tflite, "m"))
        assert found is not None
        assert found.threshold == threshold
        expected = [early[at] if lead > threshold else late[at] for at, lead in enumerate(leads())]
        assert np.array_equal(np.stack(said), np.stack(expected))
    assert 0 < np.mean(leads() > ordered[20]) < 1
    assert not np.array_equal(np.stack(early), np.stack(late))


def test_equal_logits_never_leave_early() -> None:
    """Both at the top: the lead is 0, and no threshold is below it."""
    assert lead_of(np.array([[7, 7, 1]])).tolist() == [0]
    net = Net()
    source = net.input((1, 6, 6, 4))
    same = weights(2, 1, 4).repeat(CLASSES, axis=0)
    side = net.softmax(net.fully_connected(net.mean(source), same))
    last = net.softmax(net.fully_connected(net.mean(source), weights(5, CLASSES, 4)))
    plain = net.builder.build(net.inputs, [last.key, side.key])
    assert np.array_equal(answers(with_early_exit(plain, 0))[0], answers(plain)[0])


@pytest.mark.skipif(not oracle_available(), reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)")
def test_the_interpreter_stops_where_the_reference_does() -> None:
    tflite = early_exit(int(np.median(leads())))
    said = np.stack([outputs[0] for outputs in run_oracle(tflite, [[sample] for sample in SAMPLES])])
    assert np.array_equal(said, np.stack(answers(tflite)[0]))


def test_answers_in_other_numbers_are_refused() -> None:
    net = Net()
    source = net.input((1, 6, 6, 4))
    side = net.softmax(net.fully_connected(net.mean(source), weights(2, CLASSES, 4)))
    last = net.fully_connected(net.mean(source), weights(5, CLASSES, 4))
    with pytest.raises(ModelError, match="do not answer in the same numbers"):
        with_early_exit(net.builder.build(net.inputs, [last.key, side.key]), 3)


def test_other_branches_are_no_early_exits() -> None:
    from kits.loops import chosen

    assert find_early_exit(read_model(chosen(), "m")) is None
    assert find_early_exit(read_model(two_answers(), "m")) is None


def test_the_threshold_is_the_smallest_from_which_on_little_is_lost() -> None:
    leads_of, late = np.array([10, 8, 6, 4, 2]), np.ones(5)
    early = np.array([1, 1, 0, 1, 0])
    assert [choose_threshold(leads_of, early, late, lost) for lost in (0.0, 0.2, 0.4)] == [6, 2, 0]
    # Right again below a threshold that loses: what is chosen holds for all above it too.
    assert choose_threshold(np.array([9, 5]), np.array([0, 1]), np.array([1, 0]), 0.0) == 9
    assert choose_threshold(leads_of, np.zeros(5), late, 0.0) == 10
