"""Samples and labels from .npz, .npy and folders: what is taken, and the words for what is not."""

from __future__ import annotations

import gzip
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tinyedge.data import load_data
from tinyedge.data import npy as npy_module
from tinyedge.errors import UsageError

SAMPLES = np.arange(12, dtype=np.float32).reshape(3, 2, 2)


def refused(path: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        load_data(path)
    return caught.value


@pytest.mark.parametrize("name", ["labels", "label", "y", "y_test", "targets"])
def test_an_archive_with_labels(name: str, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d", x=SAMPLES, **{name: np.array([0, 1, 2])})  # type: ignore[arg-type]
    data = load_data(tmp_path / "d.npz")
    assert list(data.inputs) == ["x"]
    np.testing.assert_array_equal(data.inputs["x"], SAMPLES)
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 2]


def test_content_goes_before_the_end_of_the_name(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.asfortranarray(SAMPLES))
    (tmp_path / "d.npy").rename(tmp_path / "d.npz")
    data = load_data(tmp_path / "d.npz")
    assert data.labels is None
    np.testing.assert_array_equal(data.inputs["d"], SAMPLES)


def test_a_folder_holds_arrays_of_its_files_names(tmp_path: Path) -> None:
    for name, array in (("left", SAMPLES), ("right", SAMPLES + 1), ("labels", np.zeros(3, np.int64))):
        np.save(tmp_path / f"{name}.npy", array)
    data = load_data(tmp_path)
    assert list(data.inputs) == ["left", "right"]
    assert data.labels is not None
    assert data.count == 3


def test_what_is_no_data(tmp_path: Path) -> None:
    assert "there is no data" in refused(tmp_path / "no.npz").what
    (tmp_path / "t.txt").write_text("1, 2")
    error = refused(tmp_path / "t.txt")
    assert "holds no data that tinyedge reads: a folder of .npy, a .npy, a .npz" in error.what
    assert ".npz with `x` and `labels`" in error.hint
    (tmp_path / "empty").mkdir()
    assert "holds no data" in refused(tmp_path / "empty").what
    with zipfile.ZipFile(tmp_path / "z.npz", "w") as archive:
        archive.writestr("a.txt", "a")
    assert "a zip archive without a .npy" in refused(tmp_path / "z.npz").what
    (tmp_path / "set.tar.gz").write_bytes(gzip.compress(bytes(2000)))
    assert "set.tar.gz` is an archive, which is not unpacked" in refused(tmp_path / "set.tar.gz").what


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('a pickle was loaded')",)


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    (tmp_path / "d.pkl").write_bytes(pickle.dumps(Bomb()))
    assert "is a pickle, which runs what is in it" in refused(tmp_path / "d.pkl").what
    objects = np.array([Bomb(), None], dtype=object)
    np.save(tmp_path / "d.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "d.npz", x=objects)
    for name in ("d.npy", "d.npz"):
        assert "holds Python objects: they are pickled" in refused(tmp_path / name).what


def test_arrays_that_are_no_samples(tmp_path: Path) -> None:
    for arrays, words in (
        ({"x": np.float32(1)}, "`x` of .* is \\[\\], not \\[N"),
        ({"x": SAMPLES[:0]}, "not \\[N"),
        ({"x": SAMPLES, "z": SAMPLES[:2]}, "differ in their number of samples: `x` 3, `z` 2"),
        ({"labels": np.arange(3)}, "labels and no samples"),
        ({"x": SAMPLES, "y": np.arange(3), "labels": np.arange(3)}, "labels under several names: `labels`, `y`"),
        ({"x": np.array([1.0, np.nan])}, "not finite"),
        ({"x": np.array(["a", "b"])}, "not numbers"),
    ):
        np.savez(tmp_path / "d.npz", **arrays)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match=words):
            load_data(tmp_path / "d.npz")


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_every_shorter_file_is_damaged(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"d.{kind}"
    if kind == "npy":
        np.save(path, SAMPLES)
    else:
        np.savez_compressed(path, x=SAMPLES)
    whole = path.read_bytes()
    for size in range(8, len(whole), 7):
        path.write_bytes(whole[:size])
        assert "is damaged" in refused(path).what, size


def test_a_size_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }".ljust(117) + b"\n"
    (tmp_path / "d.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    assert "takes 4,000,000,000,000 B; at most" in refused(tmp_path / "d.npy").what
    np.savez_compressed(tmp_path / "d.npz", x=np.zeros((64, 64)), y=np.zeros(64))
    monkeypatch.setattr("tinyedge.data.npz.MOST_BYTES", 1 << 10)
    assert "unpacks to" in refused(tmp_path / "d.npz").what
    assert npy_module.MOST_BYTES == 1 << 30
