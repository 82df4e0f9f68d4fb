"""The samples a model is fed with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.artifacts_by_hand import graph_with_inputs
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
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


# -- inputs that may not hold any bytes ------------------------------------------------------------------------------


def float_input(scale: float = 0.5, zero_point: int = -28, dtype: str = "int8") -> Graph:
    builder = TfliteBuilder()
    source, target = (
        builder.tensor((1, 3), "float32"),
        builder.tensor((1, 3), dtype, scale=scale, zero_point=zero_point),
    )
    builder.operator("quantize", [source], [target])
    return read_model(builder.build([source], [target]), "m")


def token_input(rows: int = 7) -> Graph:
    """Tokens [1, 4] that are reshaped before they pick rows."""
    builder = TfliteBuilder()
    tokens, flat = builder.tensor((1, 4), "int32"), builder.tensor((4,), "int32")
    table = builder.tensor((rows, 2), scale=0.1, data=np.zeros((rows, 2), np.int8))
    target = builder.tensor((4, 2), scale=0.1)
    shape = builder.tensor((1,), "int32", data=np.array([4], np.int32))
    builder.operator("reshape", [tokens, shape], [flat], new_shape=[4])
    builder.operator("gather", [table, flat], [target], axis=0, batch_dims=0)
    return read_model(builder.build([tokens], [target]), "m")


def words(seed: int, count: int) -> list[int]:
    return np.array(slow_random(seed, 4 * count), np.uint8).view(np.uint32).tolist()


@pytest.mark.parametrize(("dtype", "zero_point"), [("int8", -28), ("int16", 0)])
def test_float_inputs_are_drawn_from_what_their_quantize_can_hold(dtype: str, zero_point: int) -> None:
    (array,) = load_inputs("random:3", float_input(0.5, zero_point, dtype), 2)
    info = np.iinfo(dtype)
    wanted = [0.5 * (info.min + word % (info.max - info.min + 1) - zero_point) for word in words(3, 6)]
    assert array.dtype == np.float32
    assert array.reshape(-1).tolist() == wanted
    assert not load_inputs("zeros", float_input(), 1)[0].any()


def test_float_inputs_that_operators_read_first_are_numbers_near_zero(tmp_path: Path) -> None:
    """Others may be given: no quantize says where they end."""
    builder = TfliteBuilder()
    source, result = (builder.tensor((1, 3), "float32") for _ in range(2))
    target = builder.tensor((1, 3), scale=0.5)
    builder.operator("neg", [source], [result])
    builder.operator("quantize", [result], [target])
    graph = read_model(builder.build([source], [target]), "m")
    (array,) = load_inputs("random:3", graph, 2)
    assert array.reshape(-1).tolist() == [(word % 256 - 128) / 32 for word in words(3, 6)]
    np.save(tmp_path / "x.npy", np.array([[1e30, -1e30, 0]], np.float32))
    assert load_inputs(str(tmp_path / "x.npy"), graph)[0].shape == (1, 1, 3)


def test_tokens_are_drawn_from_the_rows_of_their_table() -> None:
    (array,) = load_inputs("random:3", token_input(7), 5)
    assert array.dtype == np.int32
    assert array.reshape(-1).tolist() == [word % 7 for word in words(3, 20)]


def test_tokens_beyond_the_table_are_refused_with_place_and_limit(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.array([[0, 1, 2, 6]], np.int32))
    assert load_inputs(str(path), token_input(7))[0].tolist() == [[[0, 1, 2, 6]]]
    for wrong in (7, -1):
        np.save(path, np.array([[0, 1, 2, 6], [0, 3, wrong, 6]], np.int32))
        with pytest.raises(UsageError, match=rf"sample 1: input `t0` \[0, 2\] is {wrong}, .* table of 7 rows"):
            load_inputs(str(path), token_input(7))


def test_real_numbers_beyond_what_c_defines_are_refused(tmp_path: Path) -> None:
    """Those that merely saturate are not."""
    path = tmp_path / "x.npy"
    np.save(path, np.array([[1e3, -1e9, 0]], np.float32))
    assert load_inputs(str(path), float_input())[0].shape == (1, 1, 3)
    for wrong in (2.0**30, 1e20, np.inf, np.nan):
        np.save(path, np.array([[0, 1, wrong]], np.float32))
        with pytest.raises(UsageError, match=r"input `t0` \[0, 2\] is .* leaves int32, which TensorFlow Lite Micro"):
            load_inputs(str(path), float_input())
