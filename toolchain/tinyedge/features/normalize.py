"""Values of features made comparable: each less its mean, over its deviation, as measured on training data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import quantize_multiplier, requantize
from tinyedge.features.contract import Array
from tinyedge.kernels.common.c_text import Value
from tinyedge.kernels.contract import Constant

UNIT = 1 / 256
"""of values that were made comparable: deviations"""
_LARGEST_FACTOR = 1 << 14


@dataclass(frozen=True)
class Normalization:
    """Mean and deviation of each channel, in real terms; empty: values stay as they are. `unit`: of those values.

    Raises: ValueError when the two lists differ, or a deviation cannot be divided by
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    unit: float

    def __post_init__(self) -> None:
        if len(self.mean) != len(self.deviation):
            raise ValueError(f"`mean` has {len(self.mean)} numbers and `deviation` {len(self.deviation)}")
        for center in self.mean:
            if not abs(center / self.unit) < 1 << 15:
                raise ValueError(f"`mean` holds {center:g}; values lie within {(1 << 15) * self.unit:g}")
        for deviation in self.deviation:
            if not UNIT * deviation > 0 or self.unit / deviation / UNIT >= _LARGEST_FACTOR:
                raise ValueError(f"`deviation` holds {deviation:g}, less than values can tell apart")

    def check(self, channels: int) -> None:
        """Raises: ValueError when there are not as many as channels."""
        if self.mean and len(self.mean) != channels:
            raise ValueError(f"`mean` has {len(self.mean)} numbers; a row has {channels}")

    @property
    def centers(self) -> Array:
        return np.array([np.rint(center / self.unit) for center in self.mean], np.int16)

    @property
    def factors(self) -> list[tuple[int, int]]:
        """(multiplier, shift) of each channel."""
        return [quantize_multiplier(self.unit / deviation / UNIT) for deviation in self.deviation]

    @property
    def result_unit(self) -> float:
        return UNIT if self.mean else self.unit

    def reference(self, values: Array) -> Array:
        """Shape: int16 [rows, channels], in and out."""
        if not self.mean:
            return values
        columns = [
            requantize(values[:, i].astype(np.int64) - int(center), *factor, 0, -(1 << 15), (1 << 15) - 1)
            for i, (center, factor) in enumerate(zip(self.centers, self.factors, strict=True))
        ]
        return np.stack(columns, axis=1).astype(np.int16)

    def constants(self, prefix: str) -> tuple[Constant, ...]:
        """The tables that `members` names."""
        if not self.mean:
            return ()
        multipliers, shifts = zip(*self.factors, strict=True)
        return (
            Constant(f"{prefix}_centers", "int16_t", self.centers),
            Constant(f"{prefix}_multipliers", "int32_t", np.array(multipliers, np.int32)),
            Constant(f"{prefix}_shifts", "int8_t", np.array(shifts, np.int8)),
        )

    def members(self, prefix: str) -> dict[str, Value]:
        """Of a te_normalize_params; empty where values stay as they are."""
        return {name: f"{prefix}_{name}" for name in ("centers", "multipliers", "shifts")} if self.mean else {}


def measure(values: Array, unit: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(mean, deviation) of training rows, as tables `[features]` take them. A constant channel gets one step.

    Shape:  int16 [rows, channels], computed without a normalization
    """
    real = values.astype(np.float64) * unit
    deviations = np.maximum(real.std(axis=0), unit)
    return tuple(map(float, real.mean(axis=0))), tuple(map(float, deviations))
