"""Operators that TensorFlow Lite Micro computes in float32 only, or not at all, and what to use instead in int8."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FLOAT_ONLY: Mapping[str, str] = MappingProxyType(
    {
        "ceil": "",
        "cos": "",
        "exp": "softmax and logistic hold exponentials that int8 has",
        "floor": "",
        "l2_pool_2d": "average_pool_2d of the squares, mul(x, x), is close to it",
        "log": "log_softmax holds a logarithm that int8 has",
        "neg": "subtract from a constant zero: sub(0, x)",
        "round": "",
        "sin": "",
        "sqrt": "rsqrt is there in int8, and mul(x, rsqrt(x)) is the square root of x",
        "square": "multiply by itself: mul(x, x)",
    }
)
"""what its kernels refuse in int8, with a way round where there is one"""

NO_KERNEL: Mapping[str, str] = MappingProxyType(
    {
        "gelu": "`x * keras.activations.sigmoid(1.702 * x)` is close to it; or take relu",
        "one_hot": "feed the one-hot vectors, or look rows up: `keras.layers.Embedding` becomes gather",
        "pow": "multiply: `x * x` for the square",
        "reduce_any": "`keras.ops.max` of the values",
        "reduce_prod": "where it computes a shape, give the layer a fixed shape: `keras.layers.Reshape((4, 8))`",
        "relu_0_to_1": "minimum and maximum with constants clamp",
        "relu_n1_to_1": "minimum and maximum with constants clamp",
        "scatter_nd": "join parts with `keras.layers.Concatenate`",
        "sign": "compare with zero: `keras.ops.where(x > 0, 1.0, -1.0)`",
        "tile": (
            'for UpSampling2D take `keras.layers.Resizing(height, width, interpolation="nearest")`, which gives the '
            "same values; else join copies with `keras.layers.Concatenate`, or let an addition or product broadcast"
        ),
        "topk_v2": "end the model before it, and pick the largest outputs in the application",
    }
)
"""what it has no kernel for, with a way round in Keras"""

TFLM_ONLY = frozenset(
    (
        *("add_n", "broadcast_args", "call_once", "cumsum", "decode", "embedding_lookup"),
        *("floor_div", "floor_mod", "reduce_all", "var_handle"),
    )
)
"""what it has a kernel for and tinyedge has not, beside `FLOAT_ONLY` and custom operators"""
