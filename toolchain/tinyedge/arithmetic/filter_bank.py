"""What follows a spectrum on its way to features: energies, bands, noise, gain and logarithm, in whole numbers.

Equal to the last bit to the signal library of TensorFlow Lite Micro. All functions take arrays of whole channels in
the last axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UInt32Array = npt.NDArray[np.uint32]
UInt64Array = npt.NDArray[np.uint64]
Int16Array = npt.NDArray[np.int16]

_MASK32 = np.uint64(0xFFFFFFFF)
LOG_SEGMENTS = 128
_LOG_COEFFICIENT = 45426
"""ln 2 in Q16"""
GAIN_VALUES = 125
"""of a table of gains: two, and three with a space behind for each further bit of 32"""
SNR_BITS = 12
GAIN_OUTPUT_BITS = 6


def bit_length(values: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The place of the highest bit that is set, from 1; 0 for 0.

    >>> bit_length(np.array([0, 1, 255, 256, 2**63], np.uint64))
    array([ 0,  1,  8,  9, 64])
    """
    left = values.astype(np.uint64)
    found = np.zeros(values.shape, np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        large = left >= np.uint64(1) << np.uint64(step)
        found += np.where(large, step, 0)
        left = np.where(large, left >> np.uint64(step), left)
    return found + (left > 0)


def energies(bins: Int16Array) -> UInt32Array:
    """re^2 + im^2.  Shape: [..., 2 * bins], real before imaginary -> [..., bins]."""
    pairs = bins.astype(np.int64).reshape(*bins.shape[:-1], -1, 2)
    sums: UInt32Array = (pairs**2).sum(axis=-1).astype(np.uint32)
    return sums


@dataclass(frozen=True, eq=False)
class Bands:
    """Triangles that overlap by half: what a bin does not give to one band it gives to the next.

    starts, first, widths  of each of the channels + 1 parts: its first bin, the place of its first weight, its bins
    weights, rests         of all parts: shares of a bin for its own band and for the next
    """

    starts: Int16Array
    first: Int16Array
    widths: Int16Array
    weights: Int16Array
    rests: Int16Array

    @property
    def channels(self) -> int:
        return len(self.starts) - 1


def sum_bands(spectrum: UInt32Array, bands: Bands) -> UInt64Array:
    """Sums modulo 2^64.  Shape: [..., bins] -> [..., channels]."""
    wide = spectrum.astype(np.uint64)
    own, rest = [], []
    for start, first, width in zip(bands.starts, bands.first, bands.widths, strict=True):
        part = wide[..., start : start + width]
        own.append((part * bands.weights[first : first + width].astype(np.int64).astype(np.uint64)).sum(axis=-1))
        rest.append((part * bands.rests[first : first + width].astype(np.int64).astype(np.uint64)).sum(axis=-1))
    sums = [a + b for a, b in zip(own[1:], rest[:-1], strict=True)]
    return np.stack(sums, axis=-1).astype(np.uint64)


def square_roots(values: UInt64Array) -> UInt32Array:
    """To the nearest whole number; where that is 2^16 of a value below 2^32, or 2^32, one less."""
    root = np.sqrt(values.astype(np.float64)).astype(np.uint64)
    root = np.minimum(root, np.uint64(0xFFFFFFFF))
    root = np.where(root * root > values, root - np.uint64(1), root)
    above = np.minimum(root + np.uint64(1), np.uint64(0xFFFFFFFF))
    root = np.where((above > root) & (above * above <= values), above, root)
    left = values - root * root
    highest = np.where(values <= _MASK32, np.uint64(0xFFFF), np.uint64(0xFFFFFFFF))
    rounded: UInt32Array = (root + ((left > root) & (root != highest))).astype(np.uint32)
    return rounded


@dataclass(frozen=True)
class Subtraction:
    """How noise is followed and taken away: shares in units of 2^-bits, for even and odd channels."""

    smoothing: int
    one_minus_smoothing: int
    alternate_smoothing: int
    alternate_one_minus_smoothing: int
    min_signal_remaining: int
    smoothing_bits: int
    bits: int
    clamping: bool = False


def subtract_noise(signal: UInt32Array, estimate: UInt32Array, rule: Subtraction) -> tuple[UInt32Array, UInt32Array]:
    """(what remains, the new estimate) of one row.  Shape: [channels]."""
    odd = np.arange(signal.shape[-1]) % 2 == 1
    share = np.where(odd, rule.alternate_smoothing, rule.smoothing).astype(np.uint64)
    kept = np.where(odd, rule.alternate_one_minus_smoothing, rule.one_minus_smoothing).astype(np.uint64)
    wide = signal.astype(np.uint64)
    scaled = (wide << np.uint64(rule.smoothing_bits)) & _MASK32
    bits = np.uint64(rule.bits)
    noise = ((scaled * share + estimate.astype(np.uint64) * kept) >> bits) & _MASK32
    taken = np.minimum(noise, scaled)
    floor = ((wide * np.uint64(rule.min_signal_remaining)) >> bits) & _MASK32
    left = np.maximum((scaled - taken) >> np.uint64(rule.smoothing_bits), floor)
    return left.astype(np.uint32), (taken if rule.clamping else noise).astype(np.uint32)


def _gains(estimate: UInt32Array, table: Int16Array) -> npt.NDArray[np.int64]:
    """The table's function of the noise: quadratic between powers of two."""
    x = estimate.astype(np.int64)
    interval = bit_length(estimate)
    at = np.where(x <= 2, 0, 4 * interval - 6)
    fraction = np.where(interval < 11, x << np.maximum(11 - interval, 0), x >> np.maximum(interval - 11, 0)) & 0x3FF
    wide = table.astype(np.int64)
    result = (wide[at + 2] * fraction) >> 5
    result = (result + (wide[at + 1] << 5)) * fraction
    result = _int32(result + (1 << 14)) >> 15
    result = (result + wide[at]).astype(np.int16).astype(np.int64)
    return np.where(x <= 2, wide[np.minimum(x, 2)], result)


def _int32(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return values.astype(np.int32).astype(np.int64)


def control_gain(signal: UInt32Array, estimate: UInt32Array, table: Int16Array, snr_shift: int) -> UInt32Array:
    """Per-channel amplitude normalization: the signal by a power of the noise, then compressed where it is small."""
    gain = _gains(estimate, table).astype(np.uint64) & _MASK32
    snr = ((signal.astype(np.uint64) * gain) >> np.uint64(snr_shift)) & _MASK32
    square = ((snr * snr) & _MASK32) >> np.uint64(2 + 2 * SNR_BITS - GAIN_OUTPUT_BITS)
    line = (snr >> np.uint64(SNR_BITS - GAIN_OUTPUT_BITS)) - np.uint64(1 << GAIN_OUTPUT_BITS)
    return np.where(snr < 2 << SNR_BITS, square, line).astype(np.uint32)


def log_table() -> npt.NDArray[np.uint16]:
    """log2(1 + x) - x in Q16, for x from 0 to 1 in 128 steps, and one value more."""
    x = np.arange(LOG_SEGMENTS + 1) / LOG_SEGMENTS
    values = np.floor((np.log2(1 + x) - x) * (1 << 16) + 0.5)
    return np.append(values, 0).astype(np.uint16)


_LOG_TABLE = log_table().astype(np.int64)


def logarithms(values: UInt32Array, correction_bits: int, output_scale: int, most: int) -> npt.NDArray[np.int64]:
    """ln(value * 2^correction_bits) * output_scale, at most `most`; 0 for 0 and 1."""
    shifted = values.astype(np.int64) << max(correction_bits, 0) >> max(-correction_bits, 0)
    scaled = shifted & 0xFFFFFFFF
    safe = np.maximum(scaled, 1)
    whole = bit_length(safe.astype(np.uint64)) - 1
    rest = safe - (np.int64(1) << whole)
    fraction = np.where(whole < 16, rest << np.maximum(16 - whole, 0), rest >> np.maximum(whole - 16, 0))
    segment = fraction >> 9
    low, high = _LOG_TABLE[segment], _LOG_TABLE[segment + 1]
    fraction = fraction + low + (((high - low) * (fraction - (segment << 9))) >> 16)
    natural = (_LOG_COEFFICIENT * ((whole << 16) + fraction) + (1 << 15)) >> 16
    result = ((output_scale * natural + (1 << 15)) & 0xFFFFFFFF) >> 16
    return np.where(scaled > 1, np.minimum(result, most), 0)


def log2_q16(values: UInt64Array) -> npt.NDArray[np.int64]:
    """log2 of whole numbers in Q16, to within 2 steps; 0 for 0.

    >>> log2_q16(np.array([1, 2, 3, 1 << 63], np.uint64)).tolist(), round(np.log2(3) * 65536)
    ([0, 65536, 103872, 4128768], 103872)
    """
    whole = np.maximum(bit_length(values) - 1, 0)
    # the bits behind the highest one, as 32 bits of fraction
    left = np.maximum(32 - whole, 0).astype(np.uint64)
    right = np.maximum(whole - 32, 0).astype(np.uint64)
    shifted = (((values >> right) << left) & _MASK32).astype(np.int64)
    segment, rest = shifted >> 25, (shifted >> 9) & 0xFFFF
    low, high = _LOG_TABLE[segment], _LOG_TABLE[segment + 1]
    result: npt.NDArray[np.int64] = (whole << 16) + (shifted >> 16) + low + (((high - low) * rest) >> 16)
    return result
