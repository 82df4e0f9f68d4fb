"""What a layer does row by row: which rows of its inputs a row of its output takes, and the layer of some rows alone.

A layer that computes some rows is the layer with a smaller window: its rows above and below are given, be they of the
image or of its border, so that every kernel serves it as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from tinyedge.arithmetic.window import Window
from tinyedge.graph.ir import DType, Graph, Tensor
from tinyedge.ops import OPERATORS
from tinyedge.ops.contract import Layer
from tinyedge.ops.mean import Mean

ELEMENTWISE = frozenset(
    (
        "add", "sub", "mul", "maximum", "minimum", "squared_difference", "quantize", "dequantize", "relu", "relu6",
        "relu_n1_to_1", "relu_0_to_1", "leaky_relu", "prelu", "logistic", "tanh", "hard_swish", "abs", "neg", "island",
    )
)  # fmt: skip
"""operators whose output elements depend on the elements of the inputs at the same place alone"""
_WINDOWS = ("conv_2d", "depthwise_conv_2d", "max_pool_2d", "average_pool_2d")
_IMAGES = (DType.INT8, DType.INT16)


@dataclass(frozen=True)
class Reading:
    """Which rows of its inputs a layer reads.

    kind   window   row y of the output takes `rows` rows from y * step - above on
           elements the same row of every input
           sums     all rows, one after the other, make one row of output
    beside whether windows reach beyond the left or right edge
    """

    kind: Literal["window", "elements", "sums"]
    rows: int = 1
    step: int = 1
    above: int = 0
    beside: bool = False

    def first_row(self, row: int) -> int:
        """The first row of an input that row `row` of the output takes; it may lie in the border."""
        return row * self.step - self.above

    def last_row(self, row: int) -> int:
        """The last one; it may lie in the border."""
        return row * self.step - self.above + self.rows - 1


def height(tensor: Tensor) -> int:
    """Rows of an image [1, H, W, C]."""
    return tensor.shape[1]


def row_bytes(tensor: Tensor) -> int:
    """Bytes of a row of an image [1, H, W, C]."""
    return tensor.shape[2] * tensor.shape[3] * tensor.dtype.bytes


def reading_of(layer: Layer) -> Reading | None:
    """How a layer reads its inputs row by row; None where it cannot run so."""
    if len(layer.outputs) != 1 or not layer.inputs or not all(map(_is_image, layer.inputs)):
        return None
    if _is_global(layer):
        return Reading("sums")
    output = layer.outputs[0]
    if not _is_image(output) or any(tensor.is_variable for tensor in (*layer.inputs, output)):
        return None
    if layer.name in ELEMENTWISE:
        return Reading("elements") if _by_elements(layer) else None
    return _window_reading(layer) if layer.name in _WINDOWS and len(layer.inputs) == 1 else None


def _window_reading(layer: Layer) -> Reading | None:
    if {layer.inputs[0].dtype, layer.outputs[0].dtype} - set(_IMAGES):
        return None
    w: Window = layer.params.window
    if layer.name == "average_pool_2d" and _reaches_above_or_below(w):
        return None  # cells of the border are not counted, which explicit rows of it would be
    return Reading("window", (w.kernel_h - 1) * w.dilation_h + 1, w.stride_h, w.pad_top, _reaches_beside(w))


def _is_image(tensor: Tensor) -> bool:
    return len(tensor.shape) == 4 and tensor.shape[0] == 1 and not tensor.is_constant


def _by_elements(layer: Layer) -> bool:
    """Whether the operands have the shape of the output, and constants the same values in every row."""
    shape = layer.outputs[0].shape
    if any(tensor.shape != shape for tensor in layer.inputs):
        return False
    constants = [value for value in vars(layer.params).values() if getattr(value, "ndim", 0) > 2]
    return all(value.shape[-3] == 1 for value in constants)


def _is_global(layer: Layer) -> bool:
    """Whether a layer averages whole channels of an int8 image of more than one row."""
    source, target = layer.inputs[0], layer.outputs[0]
    if {source.dtype, target.dtype} != {DType.INT8} or height(source) < 2 or target.elements != source.shape[3]:
        return False
    if layer.name == "average_pool_2d":
        w: Window = layer.params.window
        return (w.output_h, w.output_w) == (1, 1) and _covers_all(w)
    return layer.name in ("mean", "sum") and isinstance(layer.params, Mean) and layer.params.axes == (1, 2)


def _covers_all(w: Window) -> bool:
    return w.kernel_h - w.pad_top >= w.input_h and w.kernel_w - w.pad_left >= w.input_w


def _reaches_above_or_below(w: Window) -> bool:
    return w.pad_top > 0 or (w.output_h - 1) * w.stride_h - w.pad_top + (w.kernel_h - 1) * w.dilation_h >= w.input_h


def _reaches_beside(w: Window) -> bool:
    return w.pad_left > 0 or (w.output_w - 1) * w.stride_w - w.pad_left + (w.kernel_w - 1) * w.dilation_w >= w.input_w


def border_byte(graph: Graph, tensor: Tensor, reader: Layer) -> int | None:
    """What every byte of a border of a tensor is for a layer that reads it; None where no byte does."""
    if reader.name == "max_pool_2d":
        return 0x80 if tensor.dtype is DType.INT8 else None
    zero_point = tensor.zero_point if tensor.quantization is not None else 0
    if tensor.dtype is DType.INT8:
        return zero_point & 0xFF
    return 0 if zero_point == 0 else None


def part_of(graph: Graph, layer: Layer, rows: int, width: int | None = None) -> Layer:
    """The layer that computes `rows` rows of its output from the rows these take; for sums, adds up as many.

    width  columns of the input's rows where the border beside them is given, too; None: the kernel knows it
    """
    reading = reading_of(layer)
    assert reading is not None, layer.name
    if reading.kind == "window":
        return _window_part(layer, reading, rows, width)
    if reading.kind == "sums":
        return replace(layer, inputs=tuple(_of_rows(tensor, rows) for tensor in layer.inputs))
    small = {tensor.index: _of_rows(tensor, rows) for tensor in (*layer.inputs, *layer.outputs)}
    tensors = {key: small.get(key, tensor) for key, tensor in graph.tensors.items()}
    part = OPERATORS[layer.name].parse(graph.evolve(tensors=tensors), layer.operator)
    assert [t.index for t in part.inputs] == [t.index for t in layer.inputs], layer.name
    return part


def _of_rows(tensor: Tensor, rows: int, width: int | None = None) -> Tensor:
    _, _, columns, channels = tensor.shape
    return replace(tensor, shape=(1, rows, width or columns, channels))


def _window_part(layer: Layer, reading: Reading, rows: int, width: int | None) -> Layer:
    w: Window = layer.params.window
    taken = (rows - 1) * reading.step + reading.rows
    window = replace(w, input_h=taken, output_h=rows, pad_top=0)
    if width is not None:
        window = replace(window, input_w=width, pad_left=0)
    source, output = _of_rows(layer.inputs[0], taken, width), _of_rows(layer.outputs[0], rows)
    macs = layer.macs * rows // height(layer.outputs[0])
    return replace(layer, params=replace(layer.params, window=window), inputs=(source,), outputs=(output,), macs=macs)


def window_reach(layer: Layer) -> int:
    """Bytes of a row of the input up to the end of the last window; those beyond the row are not there."""
    w, (_, _, columns, channels) = layer.params.window, layer.inputs[0].shape
    last = (w.output_w - 1) * w.stride_w - w.pad_left + (w.kernel_w - 1) * w.dilation_w + 1
    return int(min(last, columns)) * channels * layer.inputs[0].dtype.bytes


def sums_bytes(layer: Layer) -> int:
    """Scratch that adding up rows takes: an int32 for each channel."""
    return 4 * layer.inputs[0].shape[3]


def cells_of(layer: Layer) -> int:
    """How many cells of the input make one output of a layer that sums."""
    return math.prod(layer.inputs[0].shape[1:3])
