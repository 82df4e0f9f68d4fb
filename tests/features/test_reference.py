"""Features in C, compiled for this machine, against their references in numpy, on structured and random signals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kits.signals import random_signals, structured
from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.features.host import compute, compute_values
from tinyedge.features.quantize import FeatureInput
from tinyedge.graph.ir import DType

DEFAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "log_mel"},
    {"kind": "microfrontend"},
    {"kind": "mfcc"},
    {"kind": "mfe"},
)
OTHERS: tuple[dict[str, Any], ...] = (
    {"kind": "log_mel", "quantize": "micro_speech"},
    {"kind": "log_mel", "rate_hz": 8000, "high_hz": 3800, "channels": 20, "pcan": False, "log_scale": 1000},
    {"kind": "log_mel", "window_ms": 8, "stride_ms": 8, "channels": 128, "noise_reduction": False, "pcan": False},
    {"kind": "microfrontend", "rate_hz": 44100, "window_ms": 40, "stride_ms": 10, "high_hz": 20000, "channels": 1},
    {"kind": "microfrontend", "window_ms": 4, "stride_ms": 2, "channels": 8, "even_smoothing": 1, "odd_smoothing": 0},
    {"kind": "mfcc", "rate_hz": 8000, "window_ms": 40, "bands": 80, "coefficients": 80, "low_hz": 0},
    {"kind": "mfcc", "window_ms": 8, "stride_ms": 4, "bands": 2, "coefficients": 1},
    {"kind": "mfe", "fft_length": 512, "window_ms": 32, "channels": 20, "low_hz": 300, "noise_floor_db": -90},
    {"kind": "mfe", "rate_hz": 8000, "high_hz": 4000, "fft_length": 128, "pre_emphasis": 0, "channels": 128},
)


def _assert_equal(table: dict[str, Any], signals: dict[str, np.ndarray]) -> None:
    features = read_features(table)
    for name, samples in signals.items():
        values = compute_values(features, samples)
        assert values.shape == (features.rows(len(samples)), features.channels)
        assert np.array_equal(values, features.reference(samples[:, None])), name


@pytest.mark.parametrize("table", DEFAULTS, ids=lambda table: table["kind"])
def test_c_equals_numpy(table: dict[str, Any]) -> None:
    _assert_equal(table, {**structured(2400), **dict(enumerate(random_signals(1, 1200, 10)))})  # type: ignore[dict-item]


@pytest.mark.slow
@pytest.mark.parametrize("table", [*DEFAULTS, *OTHERS], ids=str)
def test_c_equals_numpy_on_a_thousand_signals(table: dict[str, Any]) -> None:
    count = read_features(table).instants(4)
    signals = {str(number): signal for number, signal in enumerate(random_signals(2, count, 987))}
    _assert_equal(table, {**structured(max(count, 4000)), **signals})


def test_features_become_the_integers_of_the_network() -> None:
    features = read_features({"kind": "log_mel"})
    signal = structured(4000)["sweep"]
    for dtype, scale, zero_point in ((DType.INT8, 0.1, -128), (DType.INT8, 0.02, 5), (DType.INT16, 0.001, 0)):
        filled = FeatureInput(features, 1, dtype, scale, zero_point)
        values = compute_values(features, signal)
        found = compute(filled, signal)
        assert found.dtype == dtype.numpy
        assert np.array_equal(found, filled.quantize(values))
        info = np.iinfo(dtype.numpy)
        real = np.clip(np.round(values * features.unit / scale) + zero_point, info.min, info.max)
        assert np.abs(found - real).max() <= 1


def test_a_signal_shorter_than_a_window_has_no_row() -> None:
    features = read_features({"kind": "mfe"})
    assert compute_values(features, np.zeros(319, np.int16)).shape == (0, 40)
    assert len(compute_values(features, np.zeros(320, np.int16))) == 1
    assert features.rows(features.instants(7)) == 7


@pytest.mark.parametrize("samples", [np.zeros(500), np.zeros((500, 2), np.int16), np.zeros(500, np.uint8)])
def test_samples_of_another_type_are_refused(samples: np.ndarray) -> None:
    with pytest.raises(UsageError, match=r"take samples of int16 \[instants, 1\]"):
        compute_values(read_features({"kind": "mfe"}), samples)
