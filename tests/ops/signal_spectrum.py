"""signal_window, signal_fft_auto_scale, signal_rfft, signal_energy: models, nodes and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import KernelCases, Rng, parsed
from kits.signal_models import line, one_operator, put_signal
from tinyedge.arithmetic.fft import LENGTHS, rfft_s16
from tinyedge.ops.contract import Layer


def _weights(rng: Rng, size: int) -> np.ndarray:
    return rng.integers(-32768, 32768, size).astype(np.int16)


def window_model(rng: Rng) -> bytes:
    size, windows = int(rng.integers(1, 40)), int(rng.integers(1, 4))
    shape = (windows, size) if rng.random() < 0.5 else (windows * size,)
    options = {"shift": int(rng.integers(0, 31))}
    return one_operator("SignalWindow", [(shape, "int16"), _weights(rng, size)], [(shape, "int16")], **options)


def auto_scale_model(rng: Rng) -> bytes:
    shape = (int(rng.integers(1, 40)),)
    return one_operator("SignalFftAutoScale", [(shape, "int16")], [(shape, "int16"), ((), "int32")])


def rfft_model(rng: Rng, length: int = 0) -> bytes:
    length = length or int(rng.choice(LENGTHS[:6]))
    size = int(rng.integers(1, length + 1))
    rows = (int(rng.integers(1, 4)),) if rng.random() < 0.3 else ()
    shapes = [((*rows, count), "int16") for count in (size, length + 2)]
    return one_operator("SignalRfft", shapes[:1], shapes[1:], T=7, fft_length=length)


def energy_model(rng: Rng) -> bytes:
    """All bins: TensorFlow Lite Micro leaves others as they are."""
    bins = int(rng.integers(1, 40))
    return one_operator("SignalEnergy", [((2 * bins,), "int16")], [((bins,), "uint32")], start_index=0, end_index=bins)


def some_energies(rng: Rng) -> Layer:
    bins = int(rng.integers(1, 40))
    start, end = (int(value) for value in rng.integers(0, bins + 1, 2))
    shapes = [((2 * bins,), "int16")], [((bins,), "uint32")]
    return parsed(lambda _: one_operator("SignalEnergy", *shapes, start_index=start, end_index=end))(rng)


def window_node(draft: Draft) -> None:
    source = line(draft, "int16")
    weights = draft.constant(_weights(draft.chance, source.elements))
    put_signal(draft, "SignalWindow", [source, weights], [(source.shape, "int16")], shift=draft.number(0, 15))


def auto_scale_node(draft: Draft) -> None:
    source = line(draft, "int16")
    put_signal(draft, "SignalFftAutoScale", [source], [(source.shape, "int16"), ((), "int32")])


def rfft_node(draft: Draft) -> None:
    source = line(draft, "int16")
    length = next(length for length in LENGTHS if length >= source.elements)
    put_signal(draft, "SignalRfft", [source], [((length + 2,), "int16")], T=7, fft_length=length)


def energy_node(draft: Draft) -> None:
    source = line(draft, "int16", 2 * draft.number(1, 24))
    bins = source.elements // 2
    put_signal(draft, "SignalEnergy", [source], [((bins,), "uint32")], start_index=0, end_index=bins)


@pytest.mark.parametrize("length", LENGTHS)
def test_every_length_equals_tflm(length: int) -> None:
    for seed in (0, 1):  # the ends of the range, then anything
        tflm.assert_bit_exact(rfft_model(np.random.default_rng(seed), length), seed)


@pytest.mark.parametrize("length", LENGTHS)
def test_the_transform_is_one(length: int) -> None:
    rng = np.random.default_rng(length)
    samples = (rng.standard_normal(length) * 6000).clip(-32768, 32767).astype(np.int16)
    bins = rfft_s16(samples, length).reshape(-1, 2)
    real = np.fft.rfft(samples.astype(float)) / length
    assert np.abs(bins - np.stack([real.real, real.imag], axis=1)).max() < 6


@pytest.mark.parametrize("values", [[-32768], [-32768, 0, 0], [5, -32768], [-32768, 5], [-32768, -7, 3, -3], [0], [1]])
def test_the_lowest_value_scales_as_in_tflm(values: list[int]) -> None:
    shape = (len(values),)
    tflite = one_operator("SignalFftAutoScale", [(shape, "int16")], [(shape, "int16"), ((), "int32")])
    tflm.assert_exact_over_time(tflite, [[np.array(values, np.int16)]])


_LINE = ((16,), "int16")
REFUSALS = [
    (one_operator("SignalRfft", [_LINE], [((18,), "int16")], T=2, fft_length=16), "It transforms int16"),
    (one_operator("SignalRfft", [_LINE], [((26,), "int16")], T=7, fft_length=24), "a power of two"),
    (one_operator("SignalRfft", [_LINE], [((10,), "int16")], T=7, fft_length=8), "not below the last size"),
    (one_operator("SignalRfft", [((16,), "float32")], [((18,), "float32")], T=0, fft_length=16), "float"),
    (one_operator("SignalWindow", [_LINE, np.zeros(16, np.int16)], [_LINE], shift=31), "shift in"),
    (one_operator("SignalWindow", [_LINE, np.zeros(16, np.int16)], [_LINE], shift="no"), "shift in"),
    (one_operator("SignalWindow", [_LINE, np.zeros(5, np.int16)], [_LINE], shift=3), "whole windows"),
    (one_operator("SignalWindow", [_LINE], [_LINE], shift=3), "Its inputs are int16, int16"),
    (one_operator("SignalFftAutoScale", [((1, 16), "int16")], [_LINE, ((), "int32")]), "one dimension"),
    (one_operator("SignalEnergy", [_LINE], [((8,), "uint32")], start_index=1, end_index=9), "not above"),
    (one_operator("SignalEnergy", [_LINE], [((9,), "uint32")], start_index=0, end_index=8), "a real and an imaginary"),
]
"""models that are refused, and words of the rule they break"""

MODELS = {
    "signal_window": window_model,
    "signal_fft_auto_scale": auto_scale_model,
    "signal_rfft": rfft_model,
    "signal_energy": energy_model,
}
NODES = {
    "signal_window": window_node,
    "signal_fft_auto_scale": auto_scale_node,
    "signal_rfft": rfft_node,
    "signal_energy": energy_node,
}
KERNEL_CASES = {"portable/signal_energy": KernelCases(some_energies)}
