"""Reasons a portable kernel cannot run a layer, as `fits` returns them; empty when it can."""

from __future__ import annotations

from collections.abc import Iterable

from tinyedge.arithmetic.window import Window
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.c_text import UINT16_MAX
from tinyedge.ops.contract import Layer


def int8_tensors(layer: Layer) -> str:
    """All tensors that exist at run time are int8."""
    for tensor in (*layer.inputs, *layer.outputs):
        if tensor.dtype is not DType.INT8:
            return f"`{tensor.name}` is {tensor.dtype.value}, the kernel computes in int8"
    return ""


def sizes(values: Iterable[int]) -> str:
    """All sizes fit the 16 bits the parameter structs give them."""
    largest = max(values)
    return f"a size of {largest:,} is beyond the {UINT16_MAX:,} the kernel counts to" if largest > UINT16_MAX else ""


def window_sizes(window: Window) -> str:
    """All sizes of a window fit 16 bits."""
    return sizes(vars(window).values())


def one_image(layer: Layer, input_elements: int) -> str:
    """The input is a single image: batches are not looped over."""
    actual = layer.inputs[0].elements
    return "" if actual == input_elements else f"its input has {actual:,} elements, one image has {input_elements:,}"
