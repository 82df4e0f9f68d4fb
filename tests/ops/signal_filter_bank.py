"""signal_filter_bank, its square root, spectral subtraction and logarithm, signal_pcan: models, nodes and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import Rng
from kits.signal_models import line, one_operator, put_signal
from tinyedge.arithmetic.filter_bank import bit_length, logarithms, square_roots
from tinyedge.graph.reader import read_model

Tables = list[np.ndarray]


def _tables(rng: Rng, bins: int, channels: int) -> Tables:
    """Weights, rests, first bins, places of first weights, widths."""
    count = int(rng.integers(1, 30))
    widths = rng.integers(0, min(bins, count) + 1, channels + 1)
    starts, first = rng.integers(0, bins - widths + 1), rng.integers(0, count - widths + 1)
    weights = rng.integers(0, 32768, (2, count))
    return [values.astype(np.int16) for values in (*weights, starts, first, widths)]


def bank_model(rng: Rng, **changes: Any) -> bytes:
    bins, channels = int(rng.integers(1, 40)), int(rng.integers(1, 12))
    tables = _tables(rng, bins, channels)
    for place, value in changes.get("tables", {}).items():
        tables[place] = value(tables[place])
    options = {"num_channels": channels + changes.get("more", 0)}
    return one_operator("SignalFilterBank", [((bins,), "uint32"), *tables], [((channels,), "uint64")], **options)


def root_model(rng: Rng) -> bytes:
    shape = (int(rng.integers(1, 20)),)
    return one_operator("SignalFilterBankSquareRoot", [(shape, "uint64"), ((), "int32")], [(shape, "uint32")])


def _shares(rng: Rng) -> dict[str, Any]:
    names = ("smoothing", "alternate_smoothing", "one_minus_smoothing", "alternate_one_minus_smoothing")
    shares = {name: int(rng.integers(0, 1 << 14)) for name in (*names, "min_signal_remaining")}
    bits = {"smoothing_bits": int(rng.integers(0, 16)), "spectral_subtraction_bits": int(rng.integers(8, 20))}
    return {**shares, **bits, "clamping": bool(rng.random() < 0.5)}


def subtraction_model(rng: Rng) -> bytes:
    shape = (int(rng.integers(1, 20)),)
    options = {"num_channels": shape[0], **_shares(rng)}
    outputs = [(shape, "uint32"), (shape, "uint32")]
    return one_operator("SignalFilterBankSpectralSubtraction", [(shape, "uint32")], outputs, **options)


def _gains(rng: Rng) -> np.ndarray:
    return rng.integers(-32768, 32768, 125).astype(np.int16)


def pcan_model(rng: Rng) -> bytes:
    signal = ((int(rng.integers(1, 20)),), "uint32")
    return one_operator("SignalPCAN", [signal, signal, _gains(rng)], [signal], snr_shift=int(rng.integers(0, 32)))


def log_model(rng: Rng) -> bytes:
    shape = (int(rng.integers(1, 20)),)
    options = {"output_scale": int(rng.integers(1, 1000)), "input_correction_bits": int(rng.integers(0, 32))}
    return one_operator("SignalFilterBankLog", [(shape, "uint32")], [(shape, "int16")], **options)


def bank_node(draft: Draft) -> None:
    source, channels = line(draft, "uint32"), draft.number(1, 12)
    tables = [draft.constant(table) for table in _tables(draft.chance, source.elements, channels)]
    put_signal(draft, "SignalFilterBank", [source, *tables], [((channels,), "uint64")], num_channels=channels)


def root_node(draft: Draft) -> None:
    source = line(draft, "uint64")
    found = [node for node in draft.tensors("int32", bare=True) if node.shape == ()]
    bits = found[-1] if found else draft.input((), "int32")
    put_signal(draft, "SignalFilterBankSquareRoot", [source, bits], [(source.shape, "uint32")])


def subtraction_node(draft: Draft) -> None:
    source = line(draft, "uint32")
    outputs = [(source.shape, "uint32")] * 2
    options = {"num_channels": source.elements, **_shares(draft.chance)}
    put_signal(draft, "SignalFilterBankSpectralSubtraction", [source], outputs, **options)


def pcan_node(draft: Draft) -> None:
    signal = line(draft, "uint32")
    noise = line(draft, "uint32", signal.elements)
    gains = draft.constant(_gains(draft.chance))
    put_signal(draft, "SignalPCAN", [signal, noise, gains], [(signal.shape, "uint32")], snr_shift=draft.number(0, 20))


def log_node(draft: Draft) -> None:
    source = line(draft, "uint32")
    put_signal(
        draft,
        "SignalFilterBankLog",
        [source],
        [(source.shape, "int16")],
        output_scale=draft.number(1, 500),
        input_correction_bits=draft.number(0, 8),
    )


def test_noise_is_followed_from_one_inference_to_the_next() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        tflite = subtraction_model(rng)
        shape = read_model(tflite, "m").input_tensors()[0].shape
        samples = [[rng.integers(0, 1 << int(rng.integers(1, 33)), shape, np.uint32)] for _ in range(8)]
        tflm.assert_exact_over_time(tflite, samples)


def _edges(bits: int, dtype: type[np.unsignedinteger[Any]]) -> np.ndarray:
    """Values about powers of two and about squares."""
    powers = [(1 << bit) + more for bit in range(bits) for more in (-2, -1, 0, 1)]
    roots = [int(root) for root in np.random.default_rng(0).integers(1, 1 << (bits // 2), 200)]
    squares = [root * root + more for root in roots for more in (-1, 0, 1, root, root + 1)]
    values = {value for value in (*powers, *squares, (1 << bits) - 1) if 0 <= value < 1 << bits}
    return np.array(sorted(values), dtype)


def test_roots_at_their_edges_equal_tflm() -> None:
    values = _edges(64, np.uint64)
    shape = values.shape
    tflite = one_operator("SignalFilterBankSquareRoot", [(shape, "uint64"), ((), "int32")], [(shape, "uint32")])
    (outputs,) = tflm.assert_exact_over_time(tflite, [[values, np.array(0, np.int32)]])
    exact = np.sqrt(values.astype(np.longdouble))
    assert np.abs(outputs[0].astype(np.longdouble) - exact).max() <= 1


def test_logarithms_at_their_edges_equal_tflm() -> None:
    values = _edges(32, np.uint32)
    options = {"output_scale": 64, "input_correction_bits": 0}
    tflite = one_operator("SignalFilterBankLog", [(values.shape, "uint32")], [(values.shape, "int16")], **options)
    tflm.assert_exact_over_time(tflite, [[values]])
    exact = np.log(np.maximum(values, 1).astype(float))
    assert np.abs(logarithms(values, 0, 1000, 1 << 16) / 1000 - exact).max() < 2.5e-3


def test_pcan_at_every_interval_equals_tflm() -> None:
    noise = _edges(32, np.uint32)
    rng = np.random.default_rng(3)
    signal = rng.integers(0, 1 << 20, noise.shape, np.uint32)
    given = [(noise.shape, "uint32")] * 2
    tflite = one_operator("SignalPCAN", [*given, _gains(rng)], given[:1], snr_shift=6)
    tflm.assert_exact_over_time(tflite, [[signal, noise]])


@pytest.mark.parametrize("value", [0, 1, 5, 255, 256, (1 << 64) - 1])
def test_bit_length(value: int) -> None:
    assert bit_length(np.array([value], np.uint64))[0] == value.bit_length()
    root = int(square_roots(np.array([value], np.uint64))[0])
    assert abs(root * root - value) <= 2 * root


def _refused(**changes: Any) -> bytes:
    return bank_model(np.random.default_rng(0), **changes)


_LINE = ((4,), "uint32")
REFUSALS = [
    (_refused(more=1), "num_channels is the number of outputs"),
    (_refused(tables={0: lambda weights: -weights - 1}), "nothing negative"),
    (_refused(tables={2: lambda starts: starts + 50}), "lie within the input"),
    (_refused(tables={3: lambda first: first + 50}), "lie within the input"),
    (_refused(tables={4: lambda widths: widths - 50}), "nothing negative"),
    (_refused(tables={1: lambda rests: rests[:-1]}), "as long as each other"),
    (one_operator("SignalPCAN", [_LINE, _LINE, np.zeros(64, np.int16)], [_LINE], snr_shift=1), "125 values"),
    (one_operator("SignalFilterBankLog", [_LINE], [((4,), "int16")], output_scale=64), "Its options state"),
    (one_operator("SignalFilterBankSpectralSubtraction", [_LINE], [_LINE, _LINE], num_channels=4), "Its options state"),
    (
        one_operator(
            "SignalFilterBankSpectralSubtraction",
            [_LINE],
            [_LINE, ((5,), "uint32")],
            num_channels=4,
            **_shares(np.random.default_rng(0)),
        ),
        "num_channels is the number of elements",
    ),
]
"""models that are refused, and words of the rule they break"""

MODELS = {
    "signal_filter_bank": bank_model,
    "signal_filter_bank_square_root": root_model,
    "signal_filter_bank_spectral_subtraction": subtraction_model,
    "signal_pcan": pcan_model,
    "signal_filter_bank_log": log_model,
}
NODES = {
    "signal_filter_bank": bank_node,
    "signal_filter_bank_square_root": root_node,
    "signal_filter_bank_spectral_subtraction": subtraction_node,
    "signal_pcan": pcan_node,
    "signal_filter_bank_log": log_node,
}
