"""Labels of a recording, and detections against them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyedge.errors import UsageError
from tinyedge.measure.labels import Label, compare, read_labels

LABELS = (Label(1.0, 1.5, "yes"), Label(3.0, 3.4, "no"), Label(5.0, 5.5, "yes"), Label(7, 8, "hum"))


@pytest.mark.parametrize(
    "text", ["1\t2.5\tyes\n4\t5\tno\n", "start,end,label\n1,2.5,yes\n\n4, 5, no", "1;2.5;yes\n4;5;no"]
)
def test_files_of_labels(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.txt").write_text(text)
    assert read_labels(tmp_path / "labels.txt", ["yes", "no"]) == (Label(1, 2.5, "yes"), Label(4, 5, "no"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,yes\n3,x,no\n", "line 2: `3,x,no` is no label"),
        ("1,2,yes\n4,3,no\n", "line 2: a label from 4 s to 3 s"),
        ("1,2,yes\n4,5,nope\n", "line 2: the model has no class `nope`"),
        ("1,2,yes\n4,5\n", "line 2"),
        ("start,end,label\n", "has no labels"),
        ("-1,2,yes\n", "a label from -1 s"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "labels.txt").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_labels(tmp_path / "labels.txt", ["yes", "no"])
    assert words in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_labels(tmp_path / "none.txt", [])


def test_detections_against_labels() -> None:
    heard = [(1.2, "yes"), (1.9, "yes"), (2.1, "yes"), (3.2, "yes"), (0.9, "yes"), (7.5, "hum")]
    verdict = compare(heard, LABELS, ["yes", "no"], late_s=0.5)
    assert verdict.hits == (True, True, False, False, False, False)
    assert verdict.false_accepts == 4
    assert verdict.missed == (LABELS[1], LABELS[2])
    assert verdict.expected == 3
    assert compare([], [], ["yes"], 1.0).hits == ()
