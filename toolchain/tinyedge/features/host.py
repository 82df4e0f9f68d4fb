"""Features computed on this machine by the very C that a board runs, compiled once for each set of parameters."""

from __future__ import annotations

import ctypes
import functools
import os

import numpy as np

from tinyedge.boards import Isa
from tinyedge.errors import UsageError
from tinyedge.features.contract import Array, Features
from tinyedge.features.quantize import FeatureInput
from tinyedge.features.source import feature_source
from tinyedge.graph.ir import DType
from tinyedge.native import shared_library

_NAME = "host"


def compute_values(features: Features, samples: Array) -> Array:
    """The rows of a signal from its beginning, before they are quantized.

    Shape:   samples of `features.sample_dtype`, [instants], or [instants, axes] -> int16 [rows, channels]
    Raises:  UsageError when the samples are of another type or shape; ToolError when zig cannot compile
    """
    prepared = check_samples(features, samples)
    rows = features.rows(len(prepared))
    values = np.empty((rows, features.channels), np.int16)
    if rows:
        library, state_bytes = _library(features)
        state = np.zeros(state_bytes // 8, np.uint64)
        library.host_features_values(_pointer(state), _pointer(prepared), ctypes.c_uint32(rows), _pointer(values))
    return values


def compute(filled: FeatureInput, samples: Array) -> Array:
    """The rows of a signal from its beginning, as the network takes them: int8 or int16 [rows, channels].

    Raises: as `compute_values`
    """
    values = compute_values(filled.features, samples)
    result = np.empty(values.shape, filled.dtype.numpy)
    if values.size:
        library, _ = _library(filled.features)
        quantize = library.te_features_s8 if filled.dtype is DType.INT8 else library.te_features_s16
        factors = (ctypes.c_int32(number) for number in (*filled.factor, filled.zero_point))
        quantize(_pointer(values), ctypes.c_uint32(values.size), *factors, _pointer(result))
    return result


def check_samples(features: Features, samples: Array) -> Array:
    """Samples as [instants, axes] in one piece. Raises: UsageError when they are of another type or shape."""
    given = np.asarray(samples)
    shaped = given.reshape(-1, 1) if given.ndim == 1 and features.axes == 1 else given
    wanted = features.sample_dtype.numpy
    if given.dtype != wanted or shaped.ndim != 2 or shaped.shape[1] != features.axes:
        raise UsageError(
            f"the features `{features.kind}` take samples of {wanted} [instants, {features.axes}]; these are "
            f"{given.dtype} {list(given.shape)}",
            hint="give the samples as the sensor sends them",
        )
    return np.ascontiguousarray(shaped)


def _pointer(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


@functools.cache
def _library(features: Features) -> tuple[ctypes.CDLL, int]:
    """The compiled features, and the bytes of their state."""
    any_input = FeatureInput(features, 1, DType.INT8, features.unit, 0)
    source = feature_source(any_input, _NAME, "features on a host", Isa.NATIVE)
    path = shared_library("features", {**source.own, **source.runtime})
    return ctypes.CDLL(os.fspath(path)), source.state_bytes
