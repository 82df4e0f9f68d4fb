"""Targets come to one form, whatever data.py gave, or are refused with what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyedge.errors import ModelError
from tinyedge.train.heads import Head, canonical_targets

CLASSES = Head("out", "classes", (3,))
PIXELS = Head("out", "classes", (2, 2, 3))
BINARY = Head("out", "binary", (1,))
MASK = Head("out", "binary", (2, 2, 1))
LABELS = Head("out", "labels", (3,))
VALUES = Head("out", "values", (2,))
ONE = Head("out", "values", (1,))


@pytest.mark.parametrize(
    ("head", "given", "wanted"),
    [
        (CLASSES, [0, 2, 1], [0, 2, 1]),
        (CLASSES, [[0], [2], [1]], [0, 2, 1]),
        (CLASSES, [0.0, 2.0, 1.0], [0, 2, 1]),
        (CLASSES, np.eye(3)[[0, 2, 1]], [0, 2, 1]),
        (CLASSES, np.eye(3, dtype=bool)[[0, 2, 1]], [0, 2, 1]),
        (CLASSES, np.array([0, 2, 1], np.uint8), [0, 2, 1]),
        (Head("out", "classes", (1, 1, 3)), [0, 2, 1], [0, 2, 1]),
        (BINARY, [0, 1, 1], [0, 1, 1]),
        (BINARY, [[False], [True], [True]], [0, 1, 1]),
        (PIXELS, [[[0, 1], [2, 0]]], [[[0, 1], [2, 0]]]),
        (PIXELS, [[[[0], [1]], [[2], [0]]]], [[[0, 1], [2, 0]]]),
        (PIXELS, np.eye(3)[[[[0, 1], [2, 0]]]], [[[0, 1], [2, 0]]]),
        (MASK, [[[0, 1], [1, 0]]], [[[0, 1], [1, 0]]]),
        (LABELS, [[1, 0, 1], [0, 0, 0]], [[1, 0, 1], [0, 0, 0]]),
    ],
)
def test_classes_come_to_one_form(head: Head, given: Any, wanted: Any) -> None:
    targets, note = canonical_targets(head, np.asarray(given), "train_targets")
    assert note == ""
    assert targets.dtype == np.int64
    np.testing.assert_array_equal(targets, wanted)


@pytest.mark.parametrize(
    ("head", "given", "shape"),
    [(VALUES, [[1, 2], [3, 4]], (2, 2)), (ONE, [1.5, 2.5], (2, 1)), (ONE, [[1.5], [2.5]], (2, 1))],
)
def test_values_come_to_the_shape_of_the_output(head: Head, given: Any, shape: tuple[int, ...]) -> None:
    targets, _ = canonical_targets(head, np.asarray(given), "train_targets")
    assert targets.dtype == np.float32
    assert targets.shape == shape
    np.testing.assert_array_equal(targets.reshape(-1), np.asarray(given).reshape(-1))


def test_a_class_of_a_sample_counts_at_each_of_its_places_and_that_is_said() -> None:
    targets, note = canonical_targets(PIXELS, np.array([2, 0]), "train_targets")
    np.testing.assert_array_equal(targets, [[[2, 2], [2, 2]], [[0, 0], [0, 0]]])
    assert note == "train_targets name one class for a sample: it counts at all 4 places of `out` [2, 2, 3]"


@pytest.mark.parametrize(
    ("head", "given", "said"),
    [
        (CLASSES, [0, -1], "train_targets hold the class -1"),
        (CLASSES, [0, 3], "the model has 3 outputs, the data 4 classes"),
        (PIXELS, [[[0, 1], [3, 0]]], "the model has 3 outputs, the data 4 classes"),
        (CLASSES, [0, 1.5], "train_targets hold 1.5, which is no class"),
        (CLASSES, [[0.2, 0.3, 0.5]], r"train_targets are \[1, 3\], as one-hot classes are, but row 0 is \[0.2"),
        (CLASSES, [[0, 1, 0], [1, 1, 0]], r"but row 1 is \[1, 1, 0\]"),
        (CLASSES, [[0, 1], [1, 0]], r"are \[2, 2\], which fits no classes of output `out` \[3\]"),
        (BINARY, [0, 2], "hold the class 2; the sigmoid `out` separates 0 and 1"),
        (BINARY, [[0, 1], [1, 0]], r"are \[2, 2\], which fits no classes"),
        (PIXELS, [[0, 1, 2]], r"are \[1, 3\], which fits no classes of output `out` \[2, 2, 3\]"),
        (LABELS, [0, 1], r"are \[2\], which fits no classes"),
        (VALUES, [1.0, 2.0], r"are \[2\], output `out` is \[N, 2\]"),
        (ONE, [[1.0, 2.0]], r"are \[1, 2\], output `out` is \[N, 1\]"),
    ],
)
def test_targets_that_fit_no_output_are_refused_with_shape_or_value(head: Head, given: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        canonical_targets(head, np.asarray(given), "train_targets")
    assert caught.value.hint


def test_targets_reach_the_loss_in_the_shape_of_the_output() -> None:
    assert CLASSES.fitted(np.array([0, 1])).shape == (2,)
    assert PIXELS.fitted(np.zeros((5, 2, 2), np.int64)).shape == (5, 2, 2)
    assert BINARY.fitted(np.array([0, 1])).shape == (2, 1)
    assert MASK.fitted(np.zeros((5, 2, 2), np.int64)).shape == (5, 2, 2, 1)
    assert LABELS.fitted(np.zeros((5, 3), np.int64)).dtype == np.float32


def test_accuracy_per_place_is_the_mean_over_all_places() -> None:
    outputs = np.zeros((1, 2, 2, 3), np.float32)
    outputs[0, :, :, 1] = 1
    assert PIXELS.score(outputs, np.array([[[1, 1], [1, 0]]])) == 0.75
    assert MASK.score(np.array([[[[0.9], [0.1]], [[0.5], [0.6]]]]), np.array([[[1, 0], [0, 0]]])) == 0.75
    assert LABELS.score(np.array([[0.9, 0.1, 0.7]]), np.array([[1, 1, 1]])) == pytest.approx(2 / 3)
