"""Features against their definitions: the interpreter of TensorFlow Lite Micro, the C front end, and float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.signals import random_signals, structured
from tinyedge.arithmetic.filter_bank import sum_bands
from tinyedge.features import read_features
from tinyedge.features.host import compute_values
from tinyedge.features.mel_bands import log1p_f32
from tinyedge.features.mfcc import Mfcc
from tinyedge.features.mfe import Mfe
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph

LARGEST_MFCC = 0.02
"""that a coefficient may lie away from its float definition"""
QUIETEST = 1e-6
"""of the loudest bin, below which a band drowns in the roundings of a transform, be it in float32 or in integers"""


@pytest.fixture
def preprocessor(shared_models: Path) -> bytes:
    return (shared_models / "audio_preprocessor_int8.tflite").read_bytes()


def test_log_mel_is_what_the_signal_operators_compute(preprocessor: bytes) -> None:
    runtime = pytest.importorskip("tflite_micro", reason="needs the oracle").runtime
    features = read_features({"kind": "log_mel", "quantize": "micro_speech"})
    for name, signal in {**structured(4000), **dict(enumerate(random_signals(3, 4000, 6)))}.items():
        interpreter = runtime.Interpreter.from_bytes(preprocessor, arena_size=1 << 17)
        rows = []
        for start in range(0, len(signal) - features.window + 1, features.stride):
            interpreter.set_input(signal[None, start : start + features.window], 0)
            interpreter.invoke()
            rows.append(np.array(interpreter.get_output(0)))
        assert np.array_equal(compute_values(features, signal) - 128, np.stack(rows)), name


def test_tables_of_log_mel_are_those_of_the_signal_operators(preprocessor: bytes) -> None:
    features = read_features({"kind": "log_mel"})
    layers = {layer.name: layer.params for layer in parse_graph(read_model(preprocessor, "m"))}
    assert np.array_equal(features.weights, layers["signal_window"].weights)
    assert np.array_equal(features.gains, layers["signal_pcan"].gains)
    assert features.snr_shift == layers["signal_pcan"].snr_shift
    assert features.subtraction == layers["signal_filter_bank_spectral_subtraction"]
    spectra = np.eye(257, dtype=np.uint32) << 10
    theirs = sum_bands(spectra, layers["signal_filter_bank"].bands)
    assert np.array_equal(sum_bands(spectra, features.bands), theirs)


def test_microfrontend_is_the_c_front_end() -> None:
    front = pytest.importorskip("pymicro_features", reason="needs pymicro-features, of the extra `dev`")
    features = read_features({"kind": "microfrontend"})
    for name, signal in {**structured(8000), **dict(enumerate(random_signals(4, 8000, 6)))}.items():
        oracle = front.MicroFrontend()
        rows, data = [], signal.tobytes()
        while len(data) >= 2 * features.stride:
            output = oracle.process_samples(data[: 2 * features.stride])
            data = data[2 * output.samples_read :]
            rows += [np.round(np.array(output.features) / features.unit)] if output.features else []
        assert np.array_equal(compute_values(features, signal), np.stack(rows)), name


@pytest.mark.parametrize("x", [0.0, 1e-6, 0.3, 0.4142, 0.4143, 1.0, 1.5, 2.0, 10.7, 1000.0])
def test_log1p_is_rounded_to_a_float(x: float) -> None:
    found, exact = float(log1p_f32(np.float32(x))), np.log1p(np.float64(np.float32(x)))
    assert abs(found - exact) <= np.spacing(np.float32(exact))


def _frames(signal: np.ndarray, size: int, stride: int) -> np.ndarray:
    starts = stride * np.arange(1 + (len(signal) - size) // stride)
    return signal[starts[:, None] + np.arange(size)]


def _mel(hertz: np.ndarray) -> np.ndarray:
    return 1127 * np.log(1 + hertz / 700)


def mfcc_of(features: Mfcc, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(the definition in float64, the quietest band of each row as a share of its loudest bin)."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(features.window) / features.window)
    frames = _frames(samples / 32768, features.window, features.stride) * window
    magnitudes = np.abs(np.fft.rfft(frames, features.length))
    hertz = np.linspace(0, features.rate_hz / 2, features.length // 2 + 1)[1:, None]
    edges = np.linspace(*_mel(np.array([features.low_hz, features.high_hz])), features.bands + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    shares = np.minimum((_mel(hertz) - low) / (middle - low), (high - _mel(hertz)) / (high - middle))
    sums = magnitudes[:, 1:] @ np.maximum(shares, 0)
    logarithms = np.log(sums + 1e-6)
    quietest = sums.min(axis=1) / np.maximum(magnitudes.max(axis=1), 1e-30)
    angles = np.pi / features.bands * (np.arange(features.bands) + 0.5) * np.arange(features.coefficients)[:, None]
    return logarithms @ np.cos(angles).T * 2 / np.sqrt(2 * features.bands), quietest


def mfe_of(features: Mfe, samples: np.ndarray) -> np.ndarray:
    """The definition in float64."""
    signal = samples / 32768
    emphasized = signal - features.pre_emphasis * np.concatenate([[0], signal[:-1]])
    frames = _frames(emphasized, features.window, features.stride)
    powers = np.abs(np.fft.rfft(frames, features.fft_length)) ** 2 / features.fft_length
    ends = _mel(np.array([features.low_hz, features.high_hz]))
    hertz = 700 * (np.exp(np.linspace(*ends, features.channels + 2) / 1127) - 1)
    edges = np.floor((features.fft_length + 1) * hertz / features.rate_hz + 1e-9).astype(int)
    banks = np.zeros((powers.shape[1], features.channels))
    for channel, (low, middle, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        banks[low:middle, channel] = (np.arange(low, middle) - low) / max(middle - low, 1)
        falling = (high - np.arange(middle, high)) / max(high - middle, 1)
        banks[middle:high, channel] = falling[: len(banks[middle:high])]
    decibels = 10 * np.log10(np.maximum(powers @ banks, 1e-30))
    share = (decibels - features.noise_floor_db) / (12 - features.noise_floor_db)
    return np.minimum(np.round(np.clip(share, 0, 1) * 256), 255)


def test_mfcc_is_near_its_float_definition() -> None:
    features = read_features({"kind": "mfcc"})
    assert isinstance(features, Mfcc)
    differences, shares = [], []
    for signal in (*structured(4000).values(), *random_signals(5, 4000, 40)):
        wanted, quietest = mfcc_of(features, signal)
        differences.append(np.abs(compute_values(features, signal) * features.unit - wanted).max(axis=1))
        shares.append(quietest)
    difference, quiet = np.concatenate(differences), np.concatenate(shares)
    assert difference[(quiet > QUIETEST) | (quiet == 0)].max() < LARGEST_MFCC
    assert difference.max() < 10 * LARGEST_MFCC
    assert np.mean(quiet > QUIETEST) > 0.8


@pytest.mark.parametrize("fft_length", [256, 512])
def test_mfe_is_within_one_level_of_its_float_definition(fft_length: int) -> None:
    features = read_features({"kind": "mfe", "fft_length": fft_length})
    assert isinstance(features, Mfe)
    differing = count = 0
    for signal in (*structured(4000).values(), *random_signals(6, 4000, 20)):
        difference = compute_values(features, signal) - mfe_of(features, signal)
        assert np.abs(difference).max() <= 1
        differing, count = differing + np.count_nonzero(difference), count + difference.size
    assert differing < count / 100
