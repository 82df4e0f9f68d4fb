"""The line that stands for a product of 64 bits: equal to the reference on every sum, and always in 32 bits."""

from __future__ import annotations

import numpy as np
import pytest

from kits.kernel_checks import rng_for
from tinyedge.arithmetic.quantization import requantize
from tinyedge.kernels.armv6m.chunks import cut
from tinyedge.kernels.armv6m.requantize import Line, Scale, find_line
from tinyedge.kernels.common.sums import Sums

CHANNELS = 4


def computed(line: Line, channel: int, sums: np.ndarray) -> np.ndarray:
    """What the instructions do, with all that they hold kept to 32 bits."""

    def word(values: np.ndarray) -> np.ndarray:
        assert np.abs(values).max() < 1 << 31
        return values

    form, digits = line.form, line.digits[:, channel]
    carried = word(sums * digits[-1]) >> form.digit_bits
    for digit in digits[-2:0:-1]:
        carried = word(word(sums * digit) + carried) >> form.digit_bits
    total = word(word(sums * digits[0]) + carried) + np.where(sums < 0, line.bend[channel], 0)
    return np.clip(word(total + line.offset[channel]) >> form.fraction, form.low, form.high)


@pytest.mark.parametrize("digits", [2, 3])
@pytest.mark.parametrize("rectified", [True, False])
def test_is_right_for_every_sum(rectified: bool, digits: int) -> None:
    rng = rng_for(f"every sum {rectified} {digits}")
    found = 0
    for _ in range(30):
        zero_point = -128 if rectified else int(rng.integers(-100, 100))
        scale = Scale(
            multiplier=rng.integers(1 << 30, 1 << 31, CHANNELS), shift=rng.integers(-9, -6, CHANNELS),
            zero_point=zero_point, low=-128, high=127,
        )  # fmt: skip
        reach = int(rng.integers(1 << 15, 1 << (17 if digits == 2 else 20)))
        sums = Sums(rng.integers(-reach, 0, CHANNELS), rng.integers(0, reach, CHANNELS))
        line = find_line(scale, sums)
        if line is None or line.form.digits != digits:
            continue
        found += 1
        for channel in range(CHANNELS):
            every = np.arange(sums.low[channel], sums.high[channel] + 1)
            expected = requantize(every, scale.multiplier[channel], scale.shift[channel], zero_point, -128, 127)
            assert np.array_equal(computed(line, channel, every), expected)
    assert found >= 2


def test_what_sums_lack_is_made_up_for() -> None:
    scale = Scale(np.array([1 << 30]), np.array([-7]), zero_point=-128, low=-128, high=127)
    line = find_line(scale, Sums(np.array([-60_000]), np.array([60_000])), np.array([12_345]))
    assert line is not None
    every = np.arange(-60_000, 60_001)
    assert np.array_equal(computed(line, 0, every), requantize(every + 12_345, 1 << 30, -7, -128, -128, 127))


def test_none_is_found_where_values_leave_32_bits() -> None:
    scale = Scale(np.array([1 << 30]), np.array([8]), zero_point=0, low=-128, high=127)
    assert find_line(scale, Sums(np.array([-(1 << 20)]), np.array([1 << 20]))) is None


def test_runs_keep_sums_in_16_bits() -> None:
    rng = rng_for("runs")
    for _ in range(50):
        weights = rng.integers(-128, 128, int(rng.integers(1, 80)))
        runs = cut(weights, 16)
        assert sum(runs) == len(weights)
        assert max(runs) <= 16
        for part in np.split(weights, np.cumsum(runs)[:-1]):
            most = np.where(part > 0, 127, -128) @ part
            least = np.where(part > 0, -128, 127) @ part
            assert least >= -(1 << 15)
            assert most < 1 << 15
