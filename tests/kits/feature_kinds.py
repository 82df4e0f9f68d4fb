"""Several kinds of features as one compiled library, and signals that find their corners."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Isa
from tinyedge.features.contract import Features
from tinyedge.features.quantize import FeatureInput
from tinyedge.features.source import feature_source
from tinyedge.graph.ir import DType
from tinyedge.native import shared_library

Array = npt.NDArray[np.generic]


class CompiledKinds:
    """The C of features by their names, compiled once for this machine."""

    def __init__(self, kinds: Mapping[str, Features]) -> None:
        files: dict[str, bytes] = {}
        self._words = {}
        for name, features in kinds.items():
            source = feature_source(FeatureInput(features, 1, DType.INT8, features.unit, 0), name, name, Isa.NATIVE)
            files |= source.own | source.runtime
            self._words[name] = source.state_bytes // 8
        self._kinds = kinds
        self._library = ctypes.CDLL(os.fspath(shared_library("features", files)))

    def values(self, name: str, samples: Array) -> Array:
        """All rows of a signal. Shape: [instants, axes] -> int16 [rows, channels]."""
        features = self._kinds[name]
        prepared = np.ascontiguousarray(samples)
        values = np.empty((features.rows(len(prepared)), features.channels), np.int16)
        state = np.zeros(self._words[name], np.uint64)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (state, prepared, values)]
        call = getattr(self._library, f"{name}_features_values")
        call(pointers[0], pointers[1], ctypes.c_uint32(len(values)), pointers[2])
        return values


def signals(features: Features, instants: int, count: int, seed: int = 1) -> Iterator[tuple[str, Array]]:
    """(what it is, samples [instants, axes]): silence, full scale, impulses, DC, sweeps, steps, and random ones."""
    kind = features.sample_dtype.numpy
    info = np.iinfo(kind)
    low, high = int(info.min), int(info.max)
    middle, reach = (low + high + 1) // 2, high - (low + high + 1) // 2
    shape = (instants, features.axes)
    time = np.arange(instants)[:, None] + np.zeros(features.axes)
    lot = np.random.default_rng(seed)
    yield "silence", np.full(shape, middle, kind)
    yield "highest", np.full(shape, high, kind)
    yield "lowest", np.full(shape, low, kind)
    yield "full scale, alternating", np.where(time % 2 > 0, high, low).astype(kind)
    yield "full scale, in steps", np.where(time // 7 % 2 > 0, high, low).astype(kind)
    yield "one unit", (middle + (time % 2)).astype(kind)
    for at in sorted({0, min(1, instants - 1), instants // 2, instants - 1}):
        impulse = np.full(shape, middle, kind)
        impulse[at] = high
        yield f"impulse at {at}", impulse
    sweep = np.sin(2 * np.pi * time * time / (4 * instants))
    yield "sweep", np.rint(middle + reach * sweep).astype(kind)
    yield "lowest and a step", np.where(time < instants // 2, low, high).astype(kind)
    for _ in range(count):
        amplitude = reach * 2.0 ** -lot.uniform(0, 14)
        offset = lot.uniform(-1, 1) * (reach - amplitude)
        noise = lot.uniform(-1, 1, shape) if lot.random() < 0.5 else np.sin(time * lot.uniform(0, np.pi))
        yield "random", np.clip(np.rint(middle + offset + amplitude * noise), low, high).astype(kind)
