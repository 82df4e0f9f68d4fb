"""Tables that state features: what is refused, and how features fit the input of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kits.models import small_convolution
from tinyedge.artifacts import QuantizedModel, Silence, feature_input
from tinyedge.errors import ModelError, UsageError
from tinyedge.features import KINDS, read_features
from tinyedge.features.quantize import fit_input
from tinyedge.graph.ir import DType, Quantization, Tensor
from tinyedge.graph.reader import read_model
from tinyedge.jobs.train import load_model
from tinyedge.tables import TableError


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "names no kind; known are"),
        ({"kind": "log_mell"}, "did you mean `log_mel`"),
        ({"kind": "log_mel", "channelz": 40}, "did you mean `channels`"),
        ({"kind": "log_mel", "channels": 0}, "`channels` is 0; it must be in"),
        ({"kind": "log_mel", "channels": "40"}, "not of type int"),
        ({"kind": "log_mel", "window_ms": 30.01}, "480.16 samples at 16,000 Hz, not a whole number"),
        ({"kind": "log_mel", "stride_ms": 40}, "must be at most `window_ms`, 30"),
        ({"kind": "log_mel", "window_ms": 300, "stride_ms": 20}, "4,800 samples; it must be 2 to 4,096"),
        ({"kind": "log_mel", "high_hz": 8001}, "`high_hz` is 8001; it must be in"),
        ({"kind": "log_mel", "low_hz": 7500}, "`low_hz` is 7500; it must be below `high_hz`"),
        ({"kind": "log_mel", "low_hz": 3999, "high_hz": 4000}, "no bin of a transform of 512 samples"),
        ({"kind": "log_mel", "noise_reduction": False}, "`pcan` needs the estimate"),
        ({"kind": "log_mel", "quantize": "none"}, "known are `scale`, `micro_speech`"),
        ({"kind": "microfrontend", "quantize": "scale"}, "unknown key `features.quantize`"),
        ({"kind": "mfcc", "coefficients": 41}, "`coefficients` is 41"),
        ({"kind": "mfe", "fft_length": 300}, "`fft_length` is 300; it must be a power of two"),
        ({"kind": "mfe", "noise_floor_db": -91}, "`noise_floor_db` is -91"),
    ],
)
def test_refusals(table: dict[str, Any], words: str) -> None:
    with pytest.raises(TableError, match=words):
        read_features(table)


def test_every_kind_has_a_name_of_its_own() -> None:
    assert all(kind.kind == name for name, kind in KINDS.items())
    assert {"log_mel", "microfrontend", "mfcc", "mfe"} <= set(KINDS)


def _input(shape: tuple[int, ...], scale: float = 0.1, dtype: DType = DType.INT8) -> Tensor:
    quantization = None if dtype is DType.FLOAT32 else Quantization((scale,), (-128,))
    return Tensor(0, "audio", shape, dtype, quantization)


@pytest.mark.parametrize(
    ("shape", "rows"), [((1, 49, 40), 49), ((1, 49, 40, 1), 49), ((1, 1960), 49), ((1, 3, 40), 3), ((40,), 1)]
)
def test_rows_follow_from_the_input(shape: tuple[int, ...], rows: int) -> None:
    filled = fit_input(read_features({"kind": "microfrontend"}), "net", _input(shape))
    assert (filled.rows, filled.instants) == (rows, 480 + 160 * (rows - 1))


@pytest.mark.parametrize(
    ("tensor", "words"),
    [
        (_input((1, 49, 10)), r"rows of 40 values \[rows, 40\]; input `audio` of model `net` is \[1, 49, 10\]"),
        (_input((1, 40, 49)), r"\[rows, 40\]; input `audio` of model `net` is \[1, 40, 49\]"),
        (_input((1, 40), dtype=DType.FLOAT32), "become int8 or int16 with one scale; .* is float32"),
        (_input((1, 40), scale=1e-9), "is too small"),
    ],
)
def test_inputs_that_do_not_fit(tensor: Tensor, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        fit_input(read_features({"kind": "log_mel"}), "net", tensor)


def test_levels_need_the_scale_they_stand_for() -> None:
    features = read_features({"kind": "log_mel", "quantize": "micro_speech"})
    assert fit_input(features, "net", _input((1, 40), scale=26 / 255)).factor == (1 << 30, 1)
    with pytest.raises(ModelError, match=r"steps of 0.101562; the scale of input `audio` of model `net` is 0.2"):
        fit_input(features, "net", _input((1, 40), scale=0.2))


def test_a_sidecar_gives_a_file_its_features(tmp_path: Path) -> None:
    model = tmp_path / "net.tflite"
    model.write_bytes(small_convolution())
    assert load_model(str(model), tmp_path, Silence()).model.features is None
    (tmp_path / "model.toml").write_text('[features]\nkind = "mfe"\n')
    assert load_model(str(model), tmp_path, Silence()).model.features == read_features({"kind": "mfe"})
    own = tmp_path / "net.model.toml"
    own.write_text('[features]\nkind = "mfcc"\nbands = 20\n')
    assert load_model(str(model), tmp_path, Silence()).model.features == read_features({"kind": "mfcc", "bands": 20})
    for text, words in (
        ("features = 3", "not a table"),
        ("[feature]", "did you mean `features`"),
        ('[features]\nkind = "mfc"', "did you mean `mfcc`"),
        ("[features", "cannot be read as TOML"),
    ):
        own.write_text(text)
        with pytest.raises(UsageError, match=f"net.model.toml.*{words}"):
            load_model(str(model), tmp_path, Silence())


def test_features_fill_the_only_input(tmp_path: Path) -> None:
    data = small_convolution()
    graph = read_model(data, "net")
    features = read_features({"kind": "log_mel"})
    model = QuantizedModel("net", data, "", features=features)
    with pytest.raises(ModelError, match=r"`log_mel` are rows of 40 values"):
        feature_input(model, graph)
    doubled = graph.evolve(inputs=(*graph.inputs, *graph.inputs))
    with pytest.raises(ModelError, match=r"`net` has 2"):
        feature_input(model, doubled)
