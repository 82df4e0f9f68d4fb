"""The confusion matrix: how it is counted, and where people see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kits.artifacts_by_hand import measured
from tinyedge.artifacts import Measured
from tinyedge.artifacts.confusion import MOST_CLASSES, Confusion, count_answers
from tinyedge.measure.answers import confusion
from tinyedge.report.bench import render_bench
from tinyedge.report.confusion import class_tables, render_confusion
from tinyedge.report.html import run_html
from tinyedge.report.json import run_document
from tinyedge.report.text import render_run

MATRIX = Confusion(((7, 1, 0), (0, 5, 3), (0, 0, 0)), ("circle", "idle", "up <b>"))
TEXT = """\
class   samples  recall  precision  most often taken for
circle        8   0.875      1.000  idle (1)
idle          8   0.625      0.833  up <b> (3)
up <b>        0       -      0.000  -

is / said  circle  idle  up <b>
circle          7     1       0
idle            0     5       3
up <b>          0     0       0"""


def with_matrix(source: str = "", names: tuple[str, ...] = ()) -> Measured:
    run = measured(confusion=MATRIX)
    return replace(run, samples=replace(run.samples, source=source, class_names=names))


def test_figures_of_a_matrix() -> None:
    assert (MATRIX.total, MATRIX.accuracy) == (16, 0.75)
    assert [MATRIX.recall(at) for at in range(3)] == [0.875, 0.625, None]
    assert MATRIX.precision(2) == 0.0
    assert MATRIX.worst_mistake(1) == ("up <b>", 3)
    assert MATRIX.worst_mistake(2) is None


def test_as_text() -> None:
    assert render_confusion(MATRIX) == TEXT


def test_who_sees_it() -> None:
    """People see it with names of classes or with data of their own; documents have it whenever there are labels."""
    for run, seen in ((with_matrix(), False), (with_matrix("d.csv"), True), (with_matrix(names=("a", "b", "c")), True)):
        assert run_document(run)["confusion"] == MATRIX.to_json()
        assert run_document(run)["data"] == (run.samples.source or None)
        assert (TEXT in render_run(run)) is seen
        assert (TEXT in render_bench([run])) is seen
        assert ("<h2>Classes</h2>" in run_html(run)) is seen
    page = run_html(with_matrix("d.csv"))
    assert "up &lt;b&gt;" in page
    assert "up <b>" not in page


def test_accuracy_of_data_is_the_devices_alone() -> None:
    text = render_run(with_matrix("mine/d.csv"))
    assert "accuracy      device 0.9806 on mine/d.csv\n" in text


def test_runtimes_that_agree_share_their_tables() -> None:
    same = with_matrix("d.csv")
    assert render_bench([same, same]).count("is / said") == 1
    other = replace(same, run=replace(same.run, confusion=replace(MATRIX, counts=((8, 0, 0), (0, 8, 0), (0, 0, 0)))))
    assert render_bench([same, other]).count("is / said") == 2


def test_large_matrices_are_left_to_documents() -> None:
    names = tuple(f"a long name {number}" for number in range(12))
    text = render_confusion(Confusion(tuple(tuple([1] * 12) for _ in range(12)), names))
    assert "is / said" not in text
    assert len(text.splitlines()) == 13
    assert [len(rows) for _, rows in class_tables(Confusion(((1,) * 65,) * 65, tuple(map(str, range(65)))))] == [65]
    assert len(class_tables(MATRIX)) == 2


@pytest.mark.parametrize(
    ("outputs", "labels", "counts"),
    [
        ([[1, 5], [7, 2], [0, 9]], [1, 1, 0], ((0, 1), (1, 1))),
        ([[-3], [4], [4]], [0, 1, 0], ((1, 1), (0, 1))),
        ([[[1, 5]], [[7, 2]]], [[1], [0]], ((1, 0), (0, 1))),
        ([[1, 5], [7, 2]], [2, 0], None),
        ([[1, 5], [7, 2]], [0.5, 0.1], None),
        ([[[1, 5], [3, 4]]], [[0, 1]], None),
    ],
)
def test_counting(outputs: list[object], labels: list[object], counts: object) -> None:
    found = confusion(np.array(outputs, np.int8), np.array(labels), ())
    assert (None if found is None else found.counts) == counts


def test_fewer_samples_than_labels() -> None:
    """A run that broke off has some of the answers."""
    found = confusion(np.array([[1, 5]], np.int8), np.array([1, 0, 0]), ("no", "yes"))
    assert found is not None
    assert (found.total, found.class_names) == (1, ("no", "yes"))


def test_very_many_classes_have_no_matrix() -> None:
    assert count_answers(np.array([0]), np.array([0]), MOST_CLASSES + 1, ()) is None
