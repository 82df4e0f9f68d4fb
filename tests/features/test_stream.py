"""A network that listens: te_stream.c, fed in pieces of any size, gives what whole windows give."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from tinyedge.boards import Isa
from tinyedge.errors import ModelError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.features.imu import Imu
from tinyedge.features.quantize import FeatureInput
from tinyedge.features.source import feature_source
from tinyedge.features.stream import RUNTIME, Heard, Stream, StreamSettings, fit_stream, stream_source
from tinyedge.graph.ir import DType, Quantization, Tensor
from tinyedge.kernels.sources import runtime_files
from tinyedge.native import shared_library
from tinyedge.tables import TableError, read_table

Array = npt.NDArray[np.generic]
OUTPUTS = 3
NETWORK = """
#include "{c}.h"
static int8_t input[{bytes}];
static {ctype} output[3];
static uint32_t state;
int {c}_init(void) {{ state = 0; return 0; }}
void *{c}_input(uint32_t i) {{ (void)i; return input; }}
const void *{c}_output(uint32_t i) {{ (void)i; return output; }}
int {c}_invoke(void) {{
  for (uint32_t i = 0; i < sizeof input; ++i) {{ state = state * 31u + (uint8_t)input[i]; input[i] = 0; }}
  for (uint32_t i = 0; i < 3; ++i) {{ output[i] = ({ctype})(state >> (9 * i) & 255u); }}
  return 0;
}}
"""
"""what it gives depends on every byte of every input so far, in order"""
HEADER = """
#include <stdint.h>
int {c}_init(void);
int {c}_invoke(void);
void *{c}_input(uint32_t i);
const void *{c}_output(uint32_t i);
"""
HARNESS = """
#include "{c}_stream.h"
static uint32_t *log_words;
static void heard(void *context, const te_stream_result *r) {{
  (void)context;
  *log_words++ = (uint32_t)r->instant;
  *log_words++ = r->inference;
  *log_words++ = (uint32_t)r->detected;
  for (uint32_t i = 0; i < 3; ++i) {{ *log_words++ = (uint32_t)r->sums[i]; }}
}}
uint32_t {c}_play(const {c}_features_sample *samples, const uint32_t *pieces, uint32_t count, uint32_t *words);
uint32_t {c}_play(const {c}_features_sample *samples, const uint32_t *pieces, uint32_t count, uint32_t *words) {{
  log_words = words;
  {c}_listen(heard, 0);
  for (uint32_t i = 0; i < count; ++i) {{
    {c}_feed(samples, pieces[i]);
    samples += pieces[i] * {axes};
  }}
  return (uint32_t)(log_words - words);
}}
"""
MOTION = Imu(rate_hz=100, axes=2, values=("mean", "max"), window=7, stride=3)
SOUND = {"rate_hz": 8000, "window_ms": 8, "stride_ms": 4, "low_hz": 125, "high_hz": 3800}
"""windows of 64 samples, a row each 32"""
SOUNDS: dict[str, dict[str, object]] = {
    "log_mel": {"kind": "log_mel", "channels": 8, "noise_reduction": False, "pcan": False},
    "log_mel_reduced": {"kind": "log_mel", "channels": 8},
    "microfrontend": {"kind": "microfrontend", "channels": 8},
    "mfcc": {"kind": "mfcc", "bands": 8, "coefficients": 5},
    "mfe": {"kind": "mfe", "channels": 8, "fft_length": 64},
}
RAW = Imu(rate_hz=100, axes=3, values=("raw",))


def output_tensor(dtype: DType) -> Tensor:
    zero_point = {DType.INT8: -128, DType.UINT8: 0, DType.INT16: 5}[dtype]
    return Tensor(0, "classes", (1, OUTPUTS), dtype, quantization=Quantization((1 / 256,), (zero_point,), 0))


def fitted(
    features: Features,
    rows: int,
    settings: StreamSettings,
    dtype: DType = DType.INT8,
    *,
    keeps_state: bool = False,
    step: int = 256,
) -> Stream:
    """`step` values of a row are one of the network's input."""
    filled = FeatureInput(features, rows, DType.INT8, features.unit * step, 3)
    return fit_stream(settings, filled, "m", output_tensor(dtype), ["a", "b", "c"], keeps_state=keeps_state)


CASES = {
    "windows": fitted(MOTION, 5, StreamSettings(stride_ms=60, average=3, threshold=0.7, suppress_ms=300)),
    "each_row": fitted(MOTION, 4, StreamSettings(stride_ms=30, average=1, threshold=0.9, suppress_ms=0), DType.UINT8),
    "whole": fitted(MOTION, 3, StreamSettings(average=2, classes=("b",), threshold=0.5), keeps_state=True),
    "raw": fitted(RAW, 16, StreamSettings(average=4, threshold=0.55, suppress_ms=90), DType.INT16),
    **{
        name: fitted(read_features({**SOUND, **table}), 4, StreamSettings(stride_ms=4, average=2), step=8)
        for name, table in SOUNDS.items()
    },
}


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    files: dict[str, bytes] = runtime_files(RUNTIME, Isa.NATIVE)
    for c, stream in CASES.items():
        source = feature_source(stream.filled, c, c, Isa.NATIVE)
        files |= source.own | source.runtime | stream_source(stream, c, c, source.state_bytes)
        values = {
            "c": c,
            "bytes": stream.filled.rows * stream.row_bytes,
            "ctype": stream.output.dtype.c_name,
            "axes": stream.filled.features.axes,
        }
        files[f"{c}.h"] = HEADER.format(**values).encode()
        files[f"{c}_fake.c"] = NETWORK.format(**values).encode()
        files[f"{c}_harness.c"] = HARNESS.format(**values).encode()
    return ctypes.CDLL(os.fspath(shared_library("features", files)))


def network(inputs: Array, dtype: DType) -> Array:
    """What the network of the harness gives. Shape: int8 [runs, rows, channels] -> [runs, 3]."""
    state = 0
    rows = []
    for window in inputs:
        for byte in window.astype(np.int8).tobytes():
            state = (state * 31 + byte) & 0xFFFF_FFFF
        rows.append([state >> (9 * i) & 255 for i in range(OUTPUTS)])
    return np.array(rows, np.uint8).reshape(-1, OUTPUTS).astype(dtype.numpy)


def played(library: ctypes.CDLL, c: str, samples: Array, pieces: Array) -> list[Heard]:
    words = np.zeros(6 * (len(samples) + 1), np.uint32)
    counts = np.ascontiguousarray(pieces, np.uint32)
    flat = np.ascontiguousarray(samples)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (flat, counts, words)]
    count = getattr(library, f"{c}_play")(pointers[0], pointers[1], ctypes.c_uint32(len(counts)), pointers[2])
    signed = words[:count].reshape(-1, 6).view(np.int32).tolist()
    return [Heard(run, instant, tuple(sums), detected) for instant, run, detected, *sums in signed]


def pieces_of(total: int, largest: int, seed: int) -> Iterator[int]:
    lot = np.random.default_rng(seed)
    while total > 0:
        piece = min(int(lot.integers(0, largest + 1)), total)
        yield piece
        total -= piece


@pytest.mark.parametrize("c", CASES)
@pytest.mark.parametrize("largest", [1, 5, 64, 10_000])
def test_any_pieces_give_what_whole_windows_give(library: ctypes.CDLL, c: str, largest: int) -> None:
    stream = CASES[c]
    features = stream.filled.features
    samples = np.random.default_rng(largest).integers(-(2**15), 2**15, (400, features.axes)).astype(np.int16)
    rows = stream.filled.quantize(features.reference(samples))
    inputs = stream.inputs(rows)
    goes_on = features.emit(c).state_bytes > 0
    assert goes_on == (c in ("log_mel_reduced", "microfrontend", "mfe"))
    for run in range(0, 1 if goes_on else len(inputs), 5):  # each window by itself, from the samples under it
        start = run * stream.run_rows * features.stride
        window = samples[start : start + stream.filled.instants]
        np.testing.assert_array_equal(stream.filled.quantize(features.reference(window)), inputs[run])
    wanted = stream.listen(network(inputs, stream.output.dtype))
    found = played(library, c, samples, np.array(list(pieces_of(len(samples), largest, 3))))
    assert found == wanted
    assert len(found) == stream.runs(features.rows(len(samples))) > 3


def test_detections_are_averaged_and_suppressed() -> None:
    stream = fitted(MOTION, 5, StreamSettings(stride_ms=60, average=2, threshold=0.5, suppress_ms=130))
    quiet, loud = [-128, -128, -128], [-128, 127, 60]
    outputs = np.array([quiet, loud, quiet, loud, loud, loud, loud, quiet, quiet], np.int8)
    heard = stream.listen(outputs)
    assert [each.detected for each in heard] == [-1, -1, -1, -1, 1, -1, -1, -1, -1]
    assert stream.score(heard[4], 1) == pytest.approx(255 / 256)
    assert heard[0].instant == 7 + 4 * 3
    assert heard[4].instant == 19 + 4 * 6
    always = fitted(MOTION, 5, StreamSettings(stride_ms=60, average=1, threshold=0.2, suppress_ms=130))
    assert [each.detected for each in always.listen(outputs)] == [-1, 1, -1, -1, 1, -1, -1, -1, -1]
    only = fitted(MOTION, 5, StreamSettings(stride_ms=60, average=1, threshold=0.2, suppress_ms=0, classes=("c",)))
    assert [each.detected for each in only.listen(outputs)] == [-1, 2, -1, 2, 2, 2, 2, -1, -1]


@pytest.mark.parametrize(
    ("settings", "keeps_state", "words"),
    [
        (StreamSettings(stride_ms=50), False, "is 50, no multiple of 30 ms"),
        (StreamSettings(stride_ms=10), False, "is 10, no multiple of 30 ms"),
        (StreamSettings(stride_ms=180), False, "is 6 rows; the input of model `m` holds 5, and it hears all"),
        (StreamSettings(stride_ms=60), True, "is 2 rows; the input of model `m` holds 5, and the model keeps state"),
        (StreamSettings(classes=("d",)), False, "`classes` of [stream] has `d`"),
        (StreamSettings(threshold=1e9), False, "beyond what output"),
        (StreamSettings(threshold=0.997, average=100), False, "output `classes` of model `m` can be, 0.996094 at most"),
    ],
)
def test_settings_that_do_not_fit(settings: StreamSettings, keeps_state: bool, words: str) -> None:
    with pytest.raises(ModelError) as caught:
        fitted(MOTION, 5, settings, keeps_state=keeps_state)
    assert words in str(caught.value)


@pytest.mark.parametrize("average", [1, 3, 1000])
def test_the_largest_threshold_is_reached_by_the_largest_output(average: int) -> None:
    stream = fitted(MOTION, 5, StreamSettings(threshold=255 / 256, average=average, suppress_ms=0))
    heard = stream.listen(np.full((average, OUTPUTS), 127))
    assert [each.detected for each in heard] == [-1] * (average - 1) + [0]


def test_an_output_below_the_default_threshold_is_heard_at_its_most() -> None:
    filled = FeatureInput(MOTION, 5, DType.INT8, 0.1, 0)
    output = Tensor(0, "y", (1, OUTPUTS), DType.INT8, Quantization((1 / 256,), (0,)))
    stream = fit_stream(StreamSettings(average=1), filled, "m", output, [], keeps_state=False)
    assert stream.threshold == 127
    with pytest.raises(ModelError, match=r"0\.496094 at most"):
        fit_stream(StreamSettings(threshold=0.6), filled, "m", output, [], keeps_state=False)


def test_outputs_that_cannot_be_averaged() -> None:
    filled = FeatureInput(MOTION, 5, DType.INT8, 0.1, 0)
    with pytest.raises(ModelError, match="averages are of int8, uint8 or int16"):
        fit_stream(StreamSettings(), filled, "m", Tensor(0, "y", (1, 3), DType.FLOAT32), [], keeps_state=False)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"average": 0}, "`average` is 0"),
        ({"thresholdz": 1}, "did you mean `threshold`"),
        ({"suppress_ms": -1}, "`suppress_ms` is -1"),
        ({"stride_ms": 0}, "`stride_ms` is 0"),
    ],
)
def test_tables_that_make_no_sense(table: dict[str, object], words: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(StreamSettings, table, "stream")
    assert words in str(caught.value)
