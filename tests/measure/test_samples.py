"""The samples a model is fed with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.artifacts_by_hand import graph_with_inputs
from tinyedge.errors import UsageError
from tinyedge.measure.samples import DEFAULT_SAMPLES, load_inputs, random_bytes

ONE = graph_with_inputs((1, 4, 3))
TWO = graph_with_inputs((1, 5), (2, 2))


def slow_random(seed: int, count: int) -> list[int]:
    result, x = [], seed
    for _ in range(count):
        x = (x * 1_664_525 + 1_013_904_223) % 2**32
        result.append(x >> 24)
    return result


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**32 - 1])
@pytest.mark.parametrize("count", [0, 1, 2, 65_535, 65_536, 65_537, 140_000])
def test_random_bytes_are_those_of_the_generator(seed: int, count: int) -> None:
    assert random_bytes(seed, count).tolist() == slow_random(seed, count)


def test_random_samples_follow_one_another_and_so_do_inputs() -> None:
    first, second = load_inputs("random:7", TWO, 3)
    assert first.dtype == second.dtype == np.int8
    assert (first.shape, second.shape) == ((3, 1, 5), (3, 2, 2))
    stream = b"".join(first[i].tobytes() + second[i].tobytes() for i in range(3))
    assert list(stream) == slow_random(7, 27)


def test_a_wider_type_is_made_of_the_same_bytes() -> None:
    (array,) = load_inputs("random:1", graph_with_inputs((1, 3), dtype="int16"), 2)
    assert array.dtype == np.int16
    assert list(array.tobytes()) == slow_random(1, 12)


def test_zeros() -> None:
    (array,) = load_inputs("zeros", ONE)
    assert array.shape == (DEFAULT_SAMPLES, 1, 4, 3)
    assert not array.any()


@pytest.mark.parametrize("shape", [(5, 1, 4, 3), (5, 4, 3)])
def test_a_file_with_or_without_the_batch_dimension(tmp_path: Path, shape: tuple[int, ...]) -> None:
    data = np.arange(60, dtype=np.int8).reshape(shape)
    np.save(tmp_path / "x.npy", data)
    (all_of_it,) = load_inputs(f"{tmp_path}/x.npy", ONE)
    (some,) = load_inputs(f"{tmp_path}/x.npy", ONE, 2)
    assert np.array_equal(all_of_it, data.reshape(5, 1, 4, 3))
    assert np.array_equal(some, data.reshape(5, 1, 4, 3)[:2])


def test_a_file_of_bytes_for_several_inputs(tmp_path: Path) -> None:
    data = np.arange(18, dtype=np.int8).reshape(2, 9)
    np.save(tmp_path / "x.npy", data)
    first, second = load_inputs(f"{tmp_path}/x.npy", TWO)
    assert first.tolist() == [[[0, 1, 2, 3, 4]], [[9, 10, 11, 12, 13]]]
    assert second.tolist() == [[[5, 6], [7, 8]], [[14, 15], [16, 17]]]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((5, 4, 4), np.int8), r"int8 \[5, 4, 4\]; input `input0` takes int8 \[N, 1, 4, 3\]"),
        (np.zeros((0, 4, 3), np.int8), r"\[0, 4, 3\]"),
        (np.int8(3), r"int8 \[\]"),
        (np.zeros((5, 4, 3), np.uint8), "uint8"),
        (np.zeros((5, 4, 3), np.float32), "float32"),
        (np.zeros((5, 4, 3), np.int8), "holds 5 samples, not 6"),
    ],
)
def test_a_wrong_array_is_refused(tmp_path: Path, array: np.ndarray, words: str) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(UsageError, match=words) as caught:
        load_inputs(f"{tmp_path}/x.npy", ONE, 6)
    assert caught.value.hint


def test_floats_are_refused_with_the_quantization_to_use(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 4, 3), np.float32))
    with pytest.raises(UsageError) as caught:
        load_inputs(f"{tmp_path}/x.npy", ONE)
    assert "round(x / 0.5) + -3" in caught.value.hint


def test_several_inputs_want_bytes(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 8), np.int8))
    with pytest.raises(UsageError, match=r"several inputs and takes int8 \[N, 9\]"):
        load_inputs(f"{tmp_path}/x.npy", TWO)


HUGE = b"\x93NUMPY\x01\x00v\x00{'descr': '|i1', 'fortran_order': False, 'shape': (1099511627776, 4, 3), }".ljust(128)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", HUGE, b"PK\x03\x04"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(UsageError, match=r"x\.npy"):
        load_inputs(f"{tmp_path}/x.npy", ONE)


def test_a_file_of_objects_is_refused_unread(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(UsageError, match="no readable"):
        load_inputs(f"{tmp_path}/x.npy", ONE)


def test_an_archive_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.zeros(3))
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(UsageError, match="no readable"):
        load_inputs(f"{tmp_path}/x.npy", ONE)


@pytest.mark.parametrize("spec", ["", "random", "random:", "random:-1", "random:4294967296", "ones", "missing.npy"])
def test_what_names_no_inputs_is_refused(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_inputs(spec, ONE)
    assert "--inputs" in caught.value.hint
