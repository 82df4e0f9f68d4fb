"""The recordings of the watch: mirrored to one wrist, cut into windows, and never run as a program."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kits.recipe_data import write_watch
from tinyedge.data.watch import EXERCISES, cut_windows, read_watch
from tinyedge.errors import UsageError


def test_recordings_of_both_wrists_look_alike(tmp_path: Path) -> None:
    found = read_watch(str(write_watch(tmp_path / "watch_dataset.npy")))
    assert len(found) == 70
    assert {each.subject for each in found} == set(range(1, 11))
    assert {each.exercise for each in found} == set(range(len(EXERCISES)))
    for exercise in range(7):
        means = [each.samples.mean(axis=0) for each in found if each.exercise == exercise]
        np.testing.assert_allclose(means, np.broadcast_to(0.3, (10, 6)), atol=0.35)


def test_a_wheel_is_read_as_its_file_is(tmp_path: Path) -> None:
    file = write_watch(tmp_path / "watch_dataset.npy")
    with zipfile.ZipFile(tmp_path / "seglearn-1.2.5-py3-none-any.whl", "w") as wheel:
        wheel.write(file, "seglearn/data/watch_dataset.npy")
    from_wheel, from_file = (read_watch(str(path)) for path in (Path(wheel.filename or ""), file))
    for one, other in zip(from_wheel, from_file, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)


def test_windows_stay_within_their_recording(tmp_path: Path) -> None:
    found = read_watch(str(write_watch(tmp_path / "watch_dataset.npy")))[:3]
    windows, exercises, subjects, numbers = cut_windows(found, 100, 55)
    assert windows.shape == (15, 100, 6)
    assert exercises.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert set(subjects.tolist()) == {1}
    assert numbers.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    np.testing.assert_array_equal(windows[6], found[1].samples[55:155])


class _Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("harm",)


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_watch(tmp_path / "watch_dataset.npy", more=_Harm())
    with pytest.raises(UsageError, match=r"mkdir` in it is no array"):
        read_watch("watch_dataset.npy")
    assert not (tmp_path / "harm").exists()


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    whole = write_watch(tmp_path / "watch_dataset.npy").read_bytes()
    for content in (b"", whole[:40], whole[:-300], b"PK\x03\x04" + whole, pickle.dumps([1, 2])):
        (tmp_path / "damaged.npy").write_bytes(content)
        with pytest.raises(UsageError, match=r"cannot be read|no wheel"):
            read_watch(str(tmp_path / "damaged.npy"))
    for changes, said in (
        ({"X": [np.zeros((5, 3))] * 70}, r"recording 0 of .* is \[5, 3\]"),
        ({"X": [np.full((5, 6), np.nan)] * 70}, "not finite"),
        ({"y": None}, "holds other data"),
        ({"subject": ["anna"] * 70}, "holds other data"),
    ):
        with pytest.raises(UsageError, match=said):
            read_watch(str(write_watch(tmp_path / "other.npy", **changes)))
    with pytest.raises(UsageError, match="there is no file"):
        read_watch(str(tmp_path / "none.npy"))
