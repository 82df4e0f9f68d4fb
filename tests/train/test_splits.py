"""What splits refuse, above all what would leak from the training into the test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyedge.train.splits import Splits


def made(**changes: Any) -> Splits:
    """Six training samples, two for the validation, four for the test."""
    arrays: dict[str, Any] = {}
    for split, count in (("train", 6), ("validation", 2), ("test", 4)):
        arrays[f"{split}_inputs"] = np.arange(count * 2, dtype=np.float32).reshape(count, 2)
        arrays[f"{split}_targets"] = np.arange(count) % 2
        arrays[f"{split}_groups"] = np.array([f"{split} {number // 2}" for number in range(count)])
    return Splits(**(arrays | changes))


def test_the_parts_are_counted() -> None:
    splits = made()
    assert splits.names == ("train", "validation", "test")
    assert [splits.count(split) for split in splits.names] == [6, 2, 4]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"test_groups": np.array(["a", "train 2", "train 1", "b"])},
            "the splits leak: 2 groups of `train` also in `test`: `train 1`, `train 2`",
        ),
        ({"validation_groups": np.array(["a", "test 0"])}, "1 group of `validation` also in `test`: `test 0`"),
        ({"test_groups": np.array(["a"] * 3)}, "test_groups has 3 rows; one for each"),
        ({"test_groups": None}, "groups are given for train, validation; give them for train, validation, test"),
        (
            {"validation_inputs": None, "validation_targets": None},
            "validation_groups has 2 rows; one for each sample of `validation`",
        ),
        ({"validation_inputs": None}, "validation_inputs and validation_targets go together"),
        ({"validation_inputs": np.zeros((2, 3), np.float32)}, r"training inputs are \[2\], validation inputs \[3\]"),
        ({"validation_inputs": np.full((2, 2), np.nan, np.float32)}, "the validation split holds values that are not"),
        ({"test_recordings": np.zeros(3)}, "test_recordings has 3 rows for 4 samples"),
        (
            {
                "train_inputs": (np.zeros((6, 2), np.float32),) * 2,
                "validation_inputs": (np.zeros((2, 2), np.float32),) * 2,
                "test_inputs": (np.zeros((4, 2), np.float32),) * 2,
                "features": lambda values: values,
            },
            "`features` are worked out of one array",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(**changes)


def test_limited_splits_keep_what_belongs_to_each_sample() -> None:
    splits = made(test_recordings=np.array([7, 7, 8, 9])).limited(3)
    assert [splits.count(split) for split in splits.names] == [3, 1, 1]
    for split in splits.names:
        rows = getattr(splits, f"{split}_inputs")[:, 0] / 2
        np.testing.assert_array_equal(getattr(splits, f"{split}_targets"), rows % 2)
        assert getattr(splits, f"{split}_groups").tolist() == [f"{split} {int(row) // 2}" for row in rows]
    assert made().limited(100).count("train") == 6


def test_limits_hold_for_several_inputs() -> None:
    pair = {
        f"{split}_inputs": (np.zeros((n, 2), np.float32), np.ones((n, 1), np.float32))
        for split, n in (("train", 6), ("validation", 2), ("test", 4))
    }
    splits = made(**pair).limited(4)
    assert [array.shape for array in splits.train_inputs] == [(4, 2), (4, 1)]
