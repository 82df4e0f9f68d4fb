"""Reading .tflite files: sound ones in full, broken ones with words."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from hypothesis import given, settings
from hypothesis import strategies as st

from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError, TinyEdgeError
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph


def small_model(change: Callable[[TfliteBuilder], None] = lambda builder: None) -> bytes:
    """conv_2d (int8 weights) and fully_connected (int4 weights); `change` breaks it before it is written."""
    rng = np.random.default_rng(0)
    builder = TfliteBuilder()
    x = builder.tensor((1, 4, 4, 2), scale=0.1, zero_point=-3, name="image")
    w = builder.tensor((3, 2, 2, 2), scale=(0.1, 0.2, 0.3), data=rng.integers(-128, 128, (3, 2, 2, 2)).astype(np.int8))
    b = builder.tensor((3,), "int32", scale=(0.01, 0.02, 0.03), data=np.array([1, -2, 1 << 20], np.int32))
    y = builder.tensor((1, 3, 3, 3), scale=0.2, zero_point=5, name="features")
    f = builder.tensor((3, 27), "int4", scale=0.1, data=(np.arange(81) % 16 - 8).astype(np.int8))
    z = builder.tensor((1, 3), scale=0.5, name="scores")
    builder.operator(
        "conv_2d",
        [x, w, b],
        [y],
        padding="valid",
        stride_h=1,
        stride_w=1,
        dilation_h_factor=1,
        dilation_w_factor=1,
        fused_activation_function="relu6",
    )
    builder.operator("fully_connected", [y, f, -1], [z], fused_activation_function="none", keep_num_dims=False)
    change(builder)
    return builder.build([x], [z])


def test_a_sound_model_in_full() -> None:
    data = small_model()
    graph = read_model(data, "small")
    assert graph.name == "small"
    assert graph.digest == hashlib.sha256(data).hexdigest()
    assert (graph.inputs, graph.outputs) == ((0,), (5,))
    image, weights, bias, features, matrix, scores = (graph.tensors[key] for key in range(6))
    assert (image.name, image.shape, image.dtype) == ("image", (1, 4, 4, 2), DType.INT8)
    assert (image.scale, image.zero_point) == (float(np.float32(0.1)), -3)
    assert image.data is None
    assert weights.quantization is not None
    assert weights.quantization.per_channel
    assert weights.quantization.scale == tuple(float(np.float32(v)) for v in (0.1, 0.2, 0.3))
    assert bias.data is not None
    assert bias.data.tolist() == [1, -2, 1 << 20]
    assert matrix.dtype is DType.INT4
    assert matrix.data is not None
    assert matrix.data.dtype == np.int8
    assert matrix.data.ravel().tolist() == [n % 16 - 8 for n in range(81)]
    assert (features.bytes, scores.bytes) == (27, 3)
    convolution, dense = graph.operators
    assert (convolution.index, convolution.name) == (0, "conv_2d")
    assert dense.inputs == (3, 4, -1)
    assert convolution.options["padding"] == "valid"
    assert convolution.options["fused_activation_function"] == "relu6"
    assert convolution.options["dilation_w_factor"] == 1
    assert dense.options["weights_format"] == "default"
    assert dense.options["keep_num_dims"] is False


def test_constants_are_read_only_views() -> None:
    graph = read_model(small_model(), "m")
    for key in (1, 2, 4):
        data = graph.tensors[key].data
        assert data is not None
        with pytest.raises(ValueError, match="read-only"):
            data[...] = 0


def test_options_that_are_vectors_and_numbers() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor((1, 3, 1), scale=0.1), builder.tensor((3, 1), scale=0.1)
    builder.operator("squeeze", [x], [y], squeeze_dims=[0])
    z = builder.tensor((3, 1), scale=1 / 256, zero_point=-128)
    builder.operator("softmax", [y], [z], beta=0.5)
    graph = read_model(builder.build([x], [z]), "m")
    assert graph.operators[0].options["squeeze_dims"] == (0,)
    assert graph.operators[1].options["beta"] == 0.5


def test_custom_operators_keep_their_name_and_options() -> None:
    def add_custom(builder: TfliteBuilder) -> None:
        extra = builder.tensor((1, 3))
        builder.operator("MyOperator", [5], [extra])
        builder.graph.operators[-1].customOptions = np.array([1, 2, 3], np.uint8)

    operator = read_model(small_model(add_custom), "m").operators[-1]
    assert operator.name == "MyOperator"
    assert operator.options["custom_options"] == b"\x01\x02\x03"


def test_a_batch_size_left_open_is_the_one_of_the_shape() -> None:
    """Converters write shape_signature -1 beside a shape of 1, which is what runs."""

    def leave_open(builder: TfliteBuilder) -> None:
        builder.graph.tensors[0].shapeSignature = [-1, 4, 4, 2]

    assert read_model(small_model(leave_open), "m").tensors[0].shape == (1, 4, 4, 2)


def sparsify(builder: TfliteBuilder) -> None:
    builder.graph.tensors[1].sparsity = schema.SparsityParametersT()


def control_flow(builder: TfliteBuilder) -> None:
    builder.operator("while", [0], [0], cond_subgraph_index=1, body_subgraph_index=2)


def missing_subgraph(builder: TfliteBuilder) -> None:
    builder.call_once(1)


def compress(builder: TfliteBuilder) -> None:
    entry = schema.MetadataT()
    entry.name = "COMPRESSION_METADATA"
    builder.model.metadata = [entry]


def blockwise(builder: TfliteBuilder) -> None:
    quantization = builder.graph.tensors[1].quantization
    quantization.detailsType = schema.QuantizationDetails.BlockwiseQuantization
    quantization.details = schema.BlockwiseQuantizationT()


def setting(tensor: int, **attributes: object) -> Callable[[TfliteBuilder], None]:
    def change(builder: TfliteBuilder) -> None:
        for name, value in attributes.items():
            setattr(builder.graph.tensors[tensor], name, value)

    return change


def operator(index: int, **attributes: object) -> Callable[[TfliteBuilder], None]:
    def change(builder: TfliteBuilder) -> None:
        for name, value in attributes.items():
            setattr(builder.graph.operators[index], name, value)

    return change


def behind_the_flatbuffer(builder: TfliteBuilder) -> None:
    builder.model.buffers[1].offset, builder.model.buffers[1].size = 4096, 24


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (control_flow, "operator 2 `while`: it runs subgraph 1, the file has subgraphs 1 to 0"),
        (missing_subgraph, "operator 0 `call_once`: it runs subgraph 1, the file has subgraphs 1 to 0"),
        (sparsify, "tensor 1 `t1` (file offset 0x"),
        (compress, "compressed by TensorFlow Lite Micro's tool"),
        (blockwise, "custom or block-wise"),
        (behind_the_flatbuffer, "behind the flatbuffer"),
        (setting(1, externalBuffer=3), "lies in another file"),
        (setting(0, shape=[-1, 4, 4, 2]), "its shape [-1, 4, 4, 2] is not fixed"),
        (setting(0, shape=[1] * 9), "9 dimensions, at most 8"),
        (setting(0, shape=[1, 1 << 16, 1 << 16, 1 << 16]), "takes 281,474,976,710,656 bytes"),
        (setting(1, shape=[3, 2, 2, 3]), "buffer 1 holds 24 bytes, shape [3, 2, 2, 3] of int8 needs 36"),
        (setting(2, shape=[4]), "buffer 2 holds 12 bytes, shape [4] of int32 needs 16"),
        (setting(4, shape=[3, 28]), "buffer 3 holds 41 bytes, shape [3, 28] of int4 needs 42"),
        (setting(1, buffer=99), "refers to buffer 99, the file has 4"),
        (setting(1, type=schema.TensorType.FLOAT16), "its type is float16"),
        (setting(1, type=100), "its type is number 100"),
        (operator(0, opcodeIndex=7), "refers to operator code 7, the file has 2"),
        (operator(0, inputs=[0, 44, 2]), "operator 0 `conv_2d` (file offset 0x"),
        (operator(0, inputs=[0, -2, 2]), "refers to tensor -2, the file has 6"),
        (operator(1, outputs=[-1]), "refers to tensor -1"),
        (operator(1, outputs=[]), "operator 1 `fully_connected` writes nothing"),
        (operator(1, inputs=[0] * 1025), "1025 inputs and 1 outputs, at most 1024"),
        (operator(1, outputs=[3]), "written before"),
    ],
)
def test_what_is_refused(change: Callable[[TfliteBuilder], None], words: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_model(small_model(change), "broken")
    assert words in caught.value.what
    assert "model `broken`" in caught.value.what
    assert caught.value.hint


def test_unknown_enumeration_values_are_refused() -> None:
    def change(builder: TfliteBuilder) -> None:
        builder.graph.operators[0].builtinOptions.padding = 17

    with pytest.raises(ModelError, match="option padding has the unknown value 17"):
        read_model(small_model(change), "m")


def test_operators_of_a_newer_schema_are_refused() -> None:
    def change(builder: TfliteBuilder) -> None:
        builder.model.operatorCodes[0].builtinCode = 4000

    with pytest.raises(ModelError, match="builtin operator 4000 is unknown"):
        read_model(small_model(change), "m")


# -- hostile files ---------------------------------------------------------------------------------------------------


def survives(data: bytes) -> bool:
    """Read and parse; whatever is wrong must come as a TinyEdgeError. True when nothing was."""
    try:
        parse_graph(read_model(data, "hostile"))
    except TinyEdgeError:
        return False
    return True


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"TFL3", b"\0\0\0\0TFL3", b"\xff\xff\xff\xffTFL3", b"PK\x03\x04 zip", b"\x08\0\0\0TFL2" + bytes(99)],
)
def test_not_a_tflite(data: bytes) -> None:
    assert not survives(data)


def test_wrong_magic_says_what_was_expected() -> None:
    with pytest.raises(ModelError, match=r"bytes 4 to 7 are b'GIF8' and should be b'TFL3'"):
        read_model(b"\0\0\0\0GIF89a and more", "m")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes(tail: bytes) -> None:
    survives(struct.pack("<I", 8) + b"TFL3" + tail)


def test_every_truncation() -> None:
    data = small_model()
    assert survives(data)
    for length in range(len(data)):
        survives(data[:length])
    assert not survives(data[: len(data) // 2])


@settings(max_examples=500, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 31), st.booleans()), min_size=1, max_size=4))
def test_flipped_bits_and_extreme_words(changes: list[tuple[int, int, bool]]) -> None:
    data = bytearray(small_model())
    for place, bit, word in changes:
        if word:
            value = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, len(data), 4, 0xFFFF][bit % 8]
            struct.pack_into("<I", data, place % (len(data) // 4 - 1) * 4, value)
        else:
            data[place % len(data)] ^= 1 << (bit % 8)
    survives(bytes(data))


def test_every_word_replaced_by_a_huge_one() -> None:
    """Offsets, lengths and vtables all take their turn."""
    data = small_model()
    for value in (0xFFFFFFFF, 0x7FFFFFF0, 0x80000000, 0):
        for place in range(0, len(data) - 3, 4):
            broken = bytearray(data)
            struct.pack_into("<I", broken, place, value)
            survives(bytes(broken))


def _peak_bytes(data: bytes) -> int:
    """The least of three: now and then one of Python's own tables (interned strings: megabytes) grows in a run."""

    def one_run() -> int:
        tracemalloc.start()
        try:
            survives(data)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    survives(data)  # imports and caches
    return min(one_run() for _ in range(3))


def _models(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.glob("*.tflite")):
        yield path.read_bytes()


def test_memory_stays_within_sixteen_times_the_file(shared_models: Path) -> None:
    for data in _models(shared_models):
        assert _peak_bytes(data) < 16 * len(data) + 65536


class SharedOperator(schema.OperatorT):  # type: ignore[misc]
    """Packed once, however often it is listed."""

    place = 0

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 - the schema's name
        if not self.place:
            self.place = super().Pack(builder)
        return self.place


def test_operators_that_are_one_table_do_not_multiply() -> None:
    """20,000 operators for which the file pays four bytes each."""
    builder = TfliteBuilder()
    x, y = builder.tensor((1, 4), scale=0.1), builder.tensor((4,), scale=0.1)
    builder.operator("reshape", [x], [y])
    shared = SharedOperator()
    shared.inputs, shared.outputs = [x], [y]
    builder.graph.operators = [shared] * 20_000
    data = builder.build([x], [y])
    assert len(data) < 90_000
    with pytest.raises(ModelError, match="its parts overlap"):
        read_model(data, "m")
    assert _peak_bytes(data) < 16 * len(data)


def test_truncated_real_models(shared_models: Path) -> None:
    for data in _models(shared_models):
        for length in range(0, len(data), max(97, len(data) // 100)):
            survives(data[:length])
