"""The C of features under both compilers' warnings, and under sanitizers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.host_kernels import WARNINGS, compile_c, native_compiler
from kits.signals import random_signals, structured
from tinyedge.boards import Isa
from tinyedge.features import read_features
from tinyedge.features.quantize import FeatureInput
from tinyedge.features.source import feature_source
from tinyedge.graph.ir import DType

_MAIN = r"""
#include <stdio.h>
#include <stdlib.h>
#include "net_features.h"

/* A signal on stdin, just as long as the input needs; the input comes back. Both lie in memory of their exact size. */
int main(void) {
  const size_t count = NET_FEATURES_INSTANTS * NET_FEATURES_AXES;
  const size_t values = NET_FEATURES_ROWS * NET_FEATURES_CHANNELS;
  net_features_sample *samples = malloc(count * sizeof *samples);
  net_features_value *input = malloc(values * sizeof *input);
  net_features_state *state = malloc(sizeof *state);
  while (fread(samples, sizeof *samples, count, stdin) == count) {
    net_features(state, samples, input);
    fwrite(input, sizeof *input, values, stdout);
  }
  free(state);
  free(input);
  free(samples);
  return 0;
}
"""
TABLES: tuple[dict[str, Any], ...] = (
    {"kind": "log_mel", "quantize": "micro_speech"},
    {"kind": "log_mel", "window_ms": 8, "stride_ms": 8, "channels": 128, "noise_reduction": False, "pcan": False},
    {"kind": "microfrontend"},
    {"kind": "mfcc"},
    {"kind": "mfcc", "window_ms": 8, "bands": 90, "stride_ms": 8, "low_hz": 0, "high_hz": 8000},
    {"kind": "mfe"},
    {"kind": "mfe", "rate_hz": 8000, "high_hz": 4000, "fft_length": 128, "channels": 128},
)


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_no_sanitizer_complains(table: dict[str, Any], tmp_path: Path) -> None:
    features = read_features(table)
    filled = FeatureInput(features, 3, DType.INT8, features.unit, -128)
    source = feature_source(filled, "net", "a test", Isa.NATIVE)
    files = {**source.own, **source.runtime, "main.c": _MAIN.encode()}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    names = [name for name in files if name.endswith(".c")]
    compile_c([*native_compiler(), *WARNINGS, "-O1", "-g", "-o", "features", *names], tmp_path)
    signals = [*structured(filled.instants, features.rate_hz).values(), *random_signals(7, filled.instants, 40)]
    done = subprocess.run(
        [str(tmp_path / "features")],
        input=b"".join(signal.tobytes() for signal in signals),
        capture_output=True,
        timeout=60,
        env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[:2000]
    found = np.frombuffer(done.stdout, np.int8).reshape(len(signals), 3, features.channels)
    for signal, rows in zip(signals, found, strict=True):
        assert np.array_equal(rows, filled.quantize(features.reference(signal[:, None])))
