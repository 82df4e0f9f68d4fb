"""What a run says of an early exit: ways out, costs, other thresholds."""

from __future__ import annotations

import numpy as np
import pytest

from kits.exits import early_exit
from tinyedge.artifacts import Samples
from tinyedge.artifacts.observer import Silence
from tinyedge.graph.reader import read_model
from tinyedge.measure.exits import Ways, exits_of, sum_up
from tinyedge.ops.reference import run_graph
from tinyedge.report.exits import curve_table, exits_svg, render_exits, ways_table

WAYS = Ways(np.array([9, 5, 3, 1]), np.array([1, 2, 0, 0]), np.array([1, 1, 0, 1]))
LABELS = np.array([1, 1, 0, 1])
COUNTED = (10, 12, 50, 54)


def test_ways_out_have_their_own_accuracy_and_instructions() -> None:
    found = sum_up(4, 0.5, WAYS, LABELS, COUNTED)
    assert (found.rate, found.early.accuracy, found.early.instructions) == (0.5, 0.5, 10)
    assert (found.late.samples, found.late.accuracy, found.late.instructions) == (2, 1.0, 50)
    assert (found.mean_instructions, found.worst_instructions) == (31.5, 54)
    assert (found.whole.rate, found.whole.accuracy, found.whole.instructions) == (0.0, 1.0, 50)


def test_other_thresholds_cost_what_the_two_ways_do() -> None:
    curve = {point.threshold: point for point in sum_up(4, 0.5, WAYS, LABELS, COUNTED).curve}
    assert sorted(curve) == [0, 1, 3, 4, 5, 9, 255]
    assert curve[1].rate == 0.75
    assert curve[1].accuracy == 0.75
    assert curve[1].instructions == pytest.approx(0.75 * 10 + 0.25 * 50)


def test_what_nobody_knows_is_none() -> None:
    found = sum_up(0, 0.5, WAYS, None, ())
    assert (found.early.accuracy, found.early.instructions, found.mean_instructions) == (None, None, None)
    assert found.curve[0].instructions is None
    assert exits_svg(found) == ""
    assert sum_up(0, 0.5, WAYS, None, COUNTED).curve[0].instructions is None  # none went to the end


def test_samples_are_put_through_both_branches() -> None:
    samples = np.random.default_rng(4).integers(-128, 128, (12, 1, 6, 6, 4)).astype(np.int8)
    graph = read_model(early_exit(3), "m")
    found = exits_of(graph, Samples([samples]), range(12), 12, Silence())
    assert found is not None
    assert (found.samples, found.threshold) == (12, 3)
    assert 0 < found.early.samples < 12
    answers = [run_graph(graph, [sample])[graph.outputs[0]].argmax() for sample in samples]
    labelled = exits_of(graph, Samples([samples], np.array(answers)), (), 12, Silence())
    assert labelled is not None
    assert (labelled.early.accuracy, labelled.late.accuracy) == (1.0, 1.0)


def test_a_report_shows_the_models_threshold_among_others() -> None:
    found = sum_up(4, 0.5, WAYS, LABELS, COUNTED)
    text = render_exits(found)
    assert max(map(len, text.splitlines())) <= 110
    assert "early exit: logits that lead by more than 4 steps of 0.5, which is 2; mean instructions 0.630" in text
    assert [row[0] for row in ways_table(found)[1]] == ["early", "at the end", "mean", "worst"]
    rows = curve_table(found)[1]
    assert ("4 (the model)", "50.0 %", "0.7500", 30) in rows
    assert rows[-1][0] == "255"
    svg = exits_svg(found, 320)
    assert 'viewBox="0 0 320 ' in svg
    assert "<circle" in svg


def test_a_network_without_an_exit_says_nothing() -> None:
    from kits.loops import chosen

    assert exits_of(read_model(chosen(), "m"), Samples([np.zeros((1, 1), np.int8)]), (), 1, Silence()) is None
