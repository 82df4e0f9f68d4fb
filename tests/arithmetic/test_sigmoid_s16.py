"""Sigmoid and hyperbolic tangent by straight lines in a table."""

from __future__ import annotations

import numpy as np

from tinyedge.arithmetic.sigmoid_s16 import logistic_s16, tanh_factor, tanh_s16


def test_they_are_the_functions_they_stand_for() -> None:
    values = np.arange(-32768, 32768)
    sigmoid = 1 / (1 + np.exp(-values / 4096))
    assert np.abs(logistic_s16(values) / 32768 - sigmoid).max() < 1e-3
    for power in (-15, -12, -9):
        result = tanh_s16(values, *tanh_factor(power)) / 32768
        assert np.abs(result - np.tanh(values * 2.0**power)).max() < 1e-3
