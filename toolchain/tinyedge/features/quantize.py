"""From the values of features to the integers that a network takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import quantize_multiplier, requantize
from tinyedge.errors import ModelError
from tinyedge.features.contract import Array, Features
from tinyedge.graph.ir import DType, Tensor, integer_range

_SAME_SCALE = 0.02
"""share by which a network's scale may differ from the unit of values that are not scaled"""
_LARGEST_FACTOR = 1 << 14
"""values times it stay in int32"""


@dataclass(frozen=True)
class FeatureInput:
    """The input of a network that features fill: `rows` rows of `features`, quantized to the input's integers."""

    features: Features
    rows: int
    dtype: DType
    scale: float
    zero_point: int

    @property
    def factor(self) -> tuple[int, int]:
        """Multiplier and shift from values to integers, without the zero point."""
        return quantize_multiplier(1.0 if self.features.is_quantized else self.features.unit / self.scale)

    @property
    def instants(self) -> int:
        """Of a signal that fills the whole input."""
        return self.features.instants(self.rows)

    def quantize(self, values: Array) -> Array:
        """The integers of int16 values, in numpy; saturated."""
        low, high = integer_range(self.dtype)
        return requantize(values.astype(np.int64), *self.factor, self.zero_point, low, high).astype(self.dtype.numpy)


def fit_input(features: Features, model: str, tensor: Tensor) -> FeatureInput:
    """How features fill an input of a model. Raises: ModelError when shape, type or quantization do not fit."""
    whole = f"input `{tensor.name}` of model `{model}`"
    if not tensor.elements or tensor.elements % features.channels or not _has_rows(tensor.shape, features.channels):
        raise ModelError(
            f"the features `{features.kind}` are rows of {features.channels:,} values [rows, {features.channels}]; "
            f"{whole} is {list(tensor.shape)}",
            hint="change the table [features] so that its rows fit, e.g. the number of channels",
        )
    quantization = tensor.quantization
    if tensor.dtype not in (DType.INT8, DType.INT16) or quantization is None or quantization.per_channel:
        raise ModelError(
            f"features become int8 or int16 with one scale; {whole} is {tensor.dtype.value}",
            hint="convert the model with an int8 input",
        )
    found = FeatureInput(features, tensor.elements // features.channels, tensor.dtype, tensor.scale, tensor.zero_point)
    if not tensor.scale > 0 or features.unit / tensor.scale >= _LARGEST_FACTOR:
        raise ModelError(f"the scale {tensor.scale:g} of {whole} is too small for features of unit {features.unit:g}")
    if features.is_quantized and abs(features.unit / tensor.scale - 1) > _SAME_SCALE:
        raise ModelError(
            f"the features `{features.kind}` are quantized in steps of {features.unit:g}; the scale of {whole} is "
            f"{tensor.scale:g}",
            hint="leave the quantization to the model's scale: see `quantize` in the table [features]",
        )
    return found


def _has_rows(shape: tuple[int, ...], channels: int) -> bool:
    """Whether the last axes of a shape hold whole rows: [.., channels], [.., channels, 1] or all in one axis."""
    sizes = [size for size in shape if size > 1]
    return not sizes or channels == 1 or len(sizes) == 1 or sizes[-1] == channels or _splits(sizes, channels)


def _splits(sizes: list[int], channels: int) -> bool:
    """Whether some last axes together are a row, as those of a picture are."""
    product = 1
    for size in reversed(sizes):
        product *= size
        if product == channels:
            return True
    return False
