"""What labels mean: classes by any whole numbers, and values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyedge.data import DataTable, class_numbers, load_parts
from tinyedge.errors import UsageError


def write_npz(folder: Path, labels: np.ndarray) -> DataTable:
    samples = np.random.default_rng(0).standard_normal((len(labels), 3), dtype=np.float32)
    np.savez(folder / "d.npz", x=samples, labels=labels)
    return DataTable(source=folder / "d.npz")


@pytest.mark.parametrize("known", [(1, 2, 3), (-1, 1), (0, 5)])
def test_whole_numbers_become_places_and_names(known: tuple[int, ...], tmp_path: Path) -> None:
    parts = load_parts(write_npz(tmp_path, np.array(known * 20)))
    assert parts.train.class_names == tuple(map(str, known))
    assert parts.train.labels is not None
    assert set(parts.train.labels.tolist()) == set(range(len(known)))
    assert any(note.startswith(f"the labels are {known[0]}, ") for note in parts.notes)


def test_numbers_from_0_on_stay_without_names(tmp_path: Path) -> None:
    parts = load_parts(write_npz(tmp_path, np.array((0, 1, 2) * 20)))
    assert parts.train.class_names == ()
    assert not any(note.startswith("the labels are") for note in parts.notes)


def test_a_regression_learns_whole_numbers_as_they_are(tmp_path: Path) -> None:
    """Each comes once: as classes they would be refused, and their places would be ranks."""
    (tmp_path / "age.csv").write_text("a,b,target\n" + "".join(f"{n},{n * n},{20 + 3 * n}\n" for n in range(30)))
    parts = load_parts(DataTable(source=tmp_path / "age.csv"), are_values=True)
    assert parts.train.class_names == ()
    for arrays in parts.named().values():
        assert arrays.labels is not None
        assert arrays.labels.dtype == np.float32
        np.testing.assert_array_equal(arrays.labels, 20 + 3 * arrays.inputs["values"][:, 0])


def test_a_regression_learns_no_words(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,label\n" + "".join(f"{n},{'xy'[n % 2]}\n" for n in range(30)))
    with pytest.raises(UsageError, match=r"targets of `.*t.csv` are words, as `x`"):
        load_parts(DataTable(source=tmp_path / "t.csv"), are_values=True)


def test_what_a_person_means_by_numbers() -> None:
    classes = np.array([2, 0, 1] * 10)
    for labels in (classes, classes.astype(float), classes[:, None], np.eye(3)[classes], np.eye(3, dtype=int)[classes]):
        np.testing.assert_array_equal(class_numbers(labels), classes)
    for labels in (classes + 0.5, np.arange(60), np.ones((30, 3)), np.array(["a"] * 30)):
        assert class_numbers(labels) is None
