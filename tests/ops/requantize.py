"""quantize and dequantize."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import INT31, MULTIPLIERS, KernelCases, Rng, any_zero_point, make_layer
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_graph
from tinyedge.ops.requantize import FloatBorder, Requantize

INTEGER_PAIRS = [
    ("int8", "int8"),
    ("int8", "uint8"),
    ("uint8", "int8"),
    ("int8", "int16"),
    ("int8", "int32"),
    ("int16", "int8"),
    ("int16", "int16"),
    ("int16", "int32"),
    ("int32", "int8"),
    ("int32", "int16"),
]


def conversion(
    types: tuple[str, str],
    *,
    scales: tuple[float, float] = (0.05, 0.03),
    zero_points: tuple[int, int] = (3, -5),
    operator: str = "quantize",
    shape: tuple[int, ...] = (2, 64),
    output_shape: tuple[int, ...] = (2, 64),
) -> bytes:
    builder = TfliteBuilder()
    keys = []
    for kind, scale, zero_point, size in zip(types, scales, zero_points, (shape, output_shape), strict=True):
        quantization: dict[str, Any] = {} if kind == "float32" else {"scale": scale, "zero_point": zero_point}
        keys.append(builder.tensor(size, kind, **quantization))
    builder.operator(operator, [keys[0]], [keys[1]])
    return builder.build([keys[0]], [keys[1]])


@settings(max_examples=150, deadline=None)
@given(
    types=st.sampled_from(INTEGER_PAIRS),
    scales=st.tuples(tflm.scales, tflm.scales),
    same=st.booleans(),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points),
    seed=tflm.seeds,
)
def test_between_integers(
    types: tuple[str, str], scales: tuple[float, float], same: bool, zero_points: tuple[int, int], seed: int
) -> None:
    zeros = [zero % 256 if kind == "uint8" else zero for kind, zero in zip(types, zero_points, strict=True)]
    zeros = [0 if kind in ("int16", "int32") else zero for kind, zero in zip(types, zeros, strict=True)]
    scales = (scales[0], scales[0]) if same else scales
    # A left shift that leaves 32 bits is undefined in the interpreter's C++.
    assume(types[0] != "int32" or scales[0] < scales[1])
    tflm.assert_bit_exact(conversion(types, scales=scales, zero_points=(zeros[0], zeros[1])), seed)


@settings(max_examples=60, deadline=None)
@given(
    target=st.sampled_from(["int8", "int16"]),
    scale=tflm.scales,
    zero_point=tflm.zero_points,
    seed=tflm.seeds,
)
def test_from_float(target: str, scale: float, zero_point: int, seed: int) -> None:
    tflm.assert_bit_exact(conversion(("float32", target), scales=(1.0, scale), zero_points=(0, zero_point)), seed)


def test_halves_and_values_out_of_range() -> None:
    tflite = conversion(("float32", "int8"), scales=(1.0, 0.5), shape=(1, 8), output_shape=(1, 8))
    graph = read_model(tflite, "m")
    values = np.array([[0.25, 0.75, -0.25, -0.75, 1e9, -1e9, 63.9, -65.0]], np.float32)
    output = run_graph(graph, [values])[1]
    np.testing.assert_array_equal(output, tflm.interpret(tflite, [values])[0])
    np.testing.assert_array_equal(output, [[-4, -3, -6, -7, 127, -128, 123, -128]])


def test_values_no_integer_holds_saturate() -> None:
    graph = read_model(conversion(("float32", "int8"), shape=(1, 3), output_shape=(1, 3)), "m")
    values = np.array([[np.inf, -np.inf, np.nan]], np.float32)
    np.testing.assert_array_equal(run_graph(graph, [values])[1], [[127, -128, -5]])


@settings(max_examples=60, deadline=None)
@given(
    source=st.sampled_from(["int8", "uint8", "int16"]),
    scale=tflm.scales,
    zero_point=tflm.zero_points,
    seed=tflm.seeds,
)
def test_to_float(source: str, scale: float, zero_point: int, seed: int) -> None:
    zero_point = zero_point % 256 if source == "uint8" else zero_point
    tflite = conversion((source, "float32"), scales=(scale, 1.0), zero_points=(zero_point, 0), operator="dequantize")
    tflm.assert_bit_exact(tflite, seed)


def test_parameters() -> None:
    (integer,) = parse_graph(read_model(conversion(("int16", "int8"), zero_points=(0, 4)), "m"))
    assert isinstance(integer.params, Requantize)
    assert integer.params.elements == 128
    (border,) = parse_graph(read_model(conversion(("float32", "int8")), "m"))
    assert isinstance(border.params, FloatBorder)
    assert border.params.zero_point == -5


REFUSALS = [
    (conversion(("int32", "int32"), zero_points=(0, 0)), "goes from float32"),
    (conversion(("float32", "uint8"), zero_points=(0, 0)), "goes from float32"),
    (conversion(("int32", "float32"), operator="dequantize"), "goes from int8, uint8 or int16"),
    (conversion(("int8", "int8"), output_shape=(128,)), "same shape"),
    (conversion(("int8", "int8"), scales=(1e9, 1e-9)), "2\\*\\*30 times"),
]
"""models that are refused, and words of the rule they break"""


def quantize_node(draft: Draft) -> None:
    """Between integer types, and from float32."""
    kinds = [dtype for dtype in ("int8", "int8", "int16", "int32", "float32") if draft.tensors(dtype)]
    kind = draft.pick(*kinds) if kinds else "int8"
    source = draft.any(kind) if draft.flip(0.9) else draft.input(draft.sizes(3), "float32", (-9.0, 9.0))
    wanted = {"int8": ("int8", "int8", "int16", "int32"), "int16": ("int8", "int16", "int32")}
    target = draft.pick(*wanted.get(source.dtype, ("int8",)))
    reach = 4.0 if source.dtype == "float32" else source.reach
    scale = draft.scale(reach) / (1 if target == "int8" else 256)
    draft.put("quantize", [source], source.shape, target, scale=scale)


def dequantize_node(draft: Draft) -> None:
    source = draft.any(draft.pick("int8", "int8", "int16") if draft.tensors("int16") else "int8")
    draft.put("dequantize", [source], source.shape, "float32")


def requantize_layer(rng: Rng, source: DType = DType.INT8, target: DType = DType.INT8) -> Layer:
    """quantize from one integer type to another."""
    elements = int(rng.integers(1, 60))
    input_bits, output_bits = 8 * source.bytes, 8 * target.bytes
    shift = int(np.clip(output_bits - input_bits + rng.integers(-2, 3), -31, 30))
    multiplier = int(rng.choice(MULTIPLIERS)) if rng.random() < 0.3 else int(rng.integers(1 << 30, INT31))
    zeros = [0 if dtype.bytes > 1 else _zero_of(rng, dtype) for dtype in (source, target)]
    params = Requantize(elements, source, target, *zeros, multiplier, shift)
    return make_layer("quantize", params, [((elements,), source)], [((elements,), target)])


def _zero_of(rng: Rng, dtype: DType) -> int:
    return any_zero_point(rng) + (128 if dtype is DType.UINT8 else 0)


def float_border_layer(rng: Rng, source: DType, target: DType) -> Layer:
    """quantize from, or dequantize to float32."""
    integer = target if source is DType.FLOAT32 else source
    elements = int(rng.integers(1, 60))
    scale = float(np.float32(10.0 ** rng.uniform(-4, 0)))
    zero = 0 if integer is DType.INT16 else _zero_of(rng, integer)
    name = "quantize" if source is DType.FLOAT32 else "dequantize"
    params = FloatBorder(elements, source, target, scale, zero)
    return make_layer(name, params, [((elements,), source)], [((elements,), target)])


def _wide_requantize(rng: Rng) -> Layer:
    pairs = [
        (DType.INT8, DType.UINT8),
        (DType.UINT8, DType.INT8),
        (DType.INT8, DType.INT16),
        (DType.INT8, DType.INT32),
        (DType.INT16, DType.INT8),
        (DType.INT16, DType.INT16),
        (DType.INT16, DType.INT32),
        (DType.INT32, DType.INT8),
        (DType.INT32, DType.INT16),
    ]
    return requantize_layer(rng, *pairs[int(rng.integers(len(pairs)))])


def _to_float(rng: Rng) -> Layer:
    source = (DType.INT8, DType.UINT8, DType.INT16)[int(rng.integers(3))]
    return float_border_layer(rng, source, DType.FLOAT32)


def _from_float(rng: Rng) -> Layer:
    return float_border_layer(rng, DType.FLOAT32, (DType.INT8, DType.INT16)[int(rng.integers(2))])


NODES = {"quantize": quantize_node, "dequantize": dequantize_node}
LAYERS = {"quantize": requantize_layer}
KERNEL_CASES = {
    "portable/requantize_any": KernelCases(_wide_requantize),
    "portable/quantize_f32": KernelCases(_from_float),
    "portable/dequantize_f32": KernelCases(_to_float),
}
