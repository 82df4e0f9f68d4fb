"""Motion: statistics of each axis over a window, or the samples themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinyedge.arithmetic.whole_roots import integer_sqrt, rounded_quotient
from tinyedge.features.bands import MOST_INSTANTS, RUNTIME, FrequencyBands, Shape, check_window, edges_of
from tinyedge.features.contract import Array, FeatureCode, Features
from tinyedge.features.normalize import Normalization
from tinyedge.features.windows import check_stride, cut_windows
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.tables import require_range

Statistic = Literal["raw", "mean", "std", "mean_difference", "rms", "min", "max", "crossings", "bands"]
_MOST = (1 << 15) - 1
_NAMES: Mapping[Statistic, str] = {
    "raw": "RAW",
    "mean": "MEAN",
    "std": "DEVIATION",
    "mean_difference": "MEAN_DIFFERENCE",
    "rms": "RMS",
    "min": "MIN",
    "max": "MAX",
    "crossings": "CROSSINGS",
    "bands": "BANDS",
}
"""of the enumeration in te_imu.h"""


@dataclass(frozen=True)
class Imu(Features):
    """Parameters of the kind `imu`. Values are of all axes first the one statistic, then the next; of full scale 1."""

    kind = "imu"

    rate_hz: int = 0
    """instants in a second"""
    axes: int = 0
    """samples of an instant, as 6 of an accelerometer and a gyroscope"""
    values: tuple[Statistic, ...] = ("mean", "std", "mean_difference")
    """what is computed of each axis over a window; `raw` alone: each instant is a row of its samples"""
    window: int = 1
    """instants that a row is computed of"""
    stride: int = 1
    """instants from one window to the next"""
    bands_hz: tuple[float, ...] = ()
    """frequencies between which `bands` sums energy up: one more than there are bands"""
    shape: Shape = "hann"
    """what a window is multiplied by for `bands`"""
    counts: float = 1.0
    """counts of the sensor for a unit of the recordings, e.g. 16384 for g of a sensor of 2 g"""
    mean: tuple[float, ...] = ()
    """of each value over the training data; empty: values stay as they are"""
    deviation: tuple[float, ...] = ()
    """of each value over the training data"""

    def __post_init__(self) -> None:
        require_range("rate_hz", self.rate_hz, 1, 1_000_000)
        require_range("axes", self.axes, 1, 32)
        require_range("counts", self.counts, 1e-6, 1e9)
        require_range("window", self.window, 1, MOST_INSTANTS)
        check_stride(self.window, self.stride)
        if not self.values or len(set(self.values)) < len(self.values):
            raise ValueError("`values` names each statistic once, and at least one")
        if "raw" in self.values and (len(self.values) > 1 or self.window > 1):
            raise ValueError("`raw` stands alone in `values`, with a `window` of 1: the network's input holds the rows")
        if ("bands" in self.values) != bool(self.bands_hz):
            raise ValueError("`bands_hz` goes with `bands` among the `values`")
        if self._bands is not None and self._bands.count != len(self.bands_hz) - 1:
            raise ValueError("`bands_hz` rises")
        self._normalization.check(self.channels)

    @property
    def channels(self) -> int:
        return self.axes * sum(len(self.bands_hz) - 1 if name == "bands" else 1 for name in self.values)

    @property
    def unit(self) -> float:
        return self._normalization.result_unit

    @functools.cached_property
    def _bands(self) -> FrequencyBands | None:
        if "bands" not in self.values:
            return None
        check_window(self.window)
        if len(self.bands_hz) < 2:
            raise ValueError("`bands_hz` has one frequency; a band lies between two")
        return FrequencyBands(self.window, self.axes, edges_of(self.bands_hz, self.rate_hz, self.window), self.shape)

    @functools.cached_property
    def _normalization(self) -> Normalization:
        return Normalization(self.mean, self.deviation, 2.0**-15)

    def reference(self, samples: Array) -> Array:
        """Shape: int16 [instants, axes] -> int16 [rows, channels]."""
        windows = cut_windows(samples, self.window, self.stride)
        columns = []
        for name in self.values:
            if name == "bands":
                assert self._bands is not None
                columns += [self._bands.reference(windows[:, :, axis]) for axis in range(self.axes)]
            else:
                columns.append(np.minimum(_STATISTICS[name](windows.astype(np.int64)), _MOST).astype(np.int16))
        return self._normalization.reference(np.concatenate(columns, axis=1))

    def float_values(self, samples: Array) -> Array:
        """The same in float64, in counts (crossings: of 32,767), without a normalization."""
        windows = cut_windows(samples, self.window, self.stride)
        columns = []
        for name in self.values:
            if name == "bands":
                assert self._bands is not None
                columns += [self._bands.float_values(windows[:, :, axis]) for axis in range(self.axes)]
            else:
                columns.append(np.minimum(_FLOATS[name](windows.astype(np.float64)), _MOST))
        return np.concatenate(columns, axis=1)

    def emit(self, prefix: str) -> FeatureCode:
        bands, normalization = self._bands, self._normalization
        name = f"{prefix}_params"
        order = ", ".join(f"TE_IMU_{_NAMES[value]}" for value in self.values)
        members: dict[str, Value] = {
            "window": self.window,
            "axes": self.axes,
            "count": len(self.values),
            "statistics": f"{prefix}_statistics",
        }
        if bands is not None:
            members["bands"] = bands.members(prefix)
        if self.mean:
            members["normalize"] = normalization.members(prefix)
        return FeatureCode(
            function="te_imu",
            params_name=name,
            params=f"static const uint8_t {prefix}_statistics[{len(self.values)}] = {{{order}}};\n\n"
            + params_struct("te_imu_params", name, members),
            constants=(*(() if bands is None else bands.constants(prefix)), *normalization.constants(prefix)),
            scratch_bytes=0 if bands is None else bands.scratch_bytes,
            runtime=RUNTIME,
        )


def _spread(x: Array) -> Array:
    """Window times the standard deviation, squared."""
    found: Array = x.shape[1] * (x * x).sum(axis=1) - x.sum(axis=1) ** 2
    return found


def _differences(x: Array) -> Array:
    found: Array = np.abs(np.diff(x, axis=1)).sum(axis=1)
    return found


def _crossings(x: Array) -> Array:
    above = x * x.shape[1] >= x.sum(axis=1, keepdims=True)
    found: Array = (above[:, 1:] != above[:, :-1]).sum(axis=1)
    return found


def _steps(x: Array) -> int:
    return max(int(x.shape[1]) - 1, 1)


_STATISTICS: Mapping[str, Callable[[Array], Array]] = {
    "raw": lambda x: x[:, 0],
    "mean": lambda x: rounded_quotient(x.sum(axis=1), x.shape[1]),
    "std": lambda x: rounded_quotient(integer_sqrt(_spread(x)), x.shape[1]),
    "mean_difference": lambda x: rounded_quotient(_differences(x), _steps(x)),
    "rms": lambda x: rounded_quotient(integer_sqrt(x.shape[1] * (x * x).sum(axis=1)), x.shape[1]),
    "min": lambda x: x.min(axis=1),
    "max": lambda x: x.max(axis=1),
    "crossings": lambda x: rounded_quotient(_crossings(x) * _MOST, _steps(x)),
}
"""[rows, window, axes] of int64 -> [rows, axes]"""
_FLOATS: Mapping[str, Callable[[Array], Array]] = {
    "raw": lambda x: x[:, 0],
    "mean": lambda x: x.mean(axis=1),
    "std": lambda x: x.std(axis=1),
    "mean_difference": lambda x: _differences(x) / _steps(x),
    "rms": lambda x: np.sqrt((x * x).mean(axis=1)),
    "min": lambda x: x.min(axis=1),
    "max": lambda x: x.max(axis=1),
    "crossings": lambda x: _crossings(x) * _MOST / _steps(x),
}

KIND = Imu
