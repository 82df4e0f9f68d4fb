"""`tinyedge.convert`: models and arrays in memory; importing tinyedge stays quick."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import tinyedge
from kits.float_models import SHAPE, drawn, float_cnn
from tinyedge import process
from tinyedge.artifacts import QuantizedModel
from tinyedge.convert.api import data_of
from tinyedge.data import Arrays
from tinyedge.errors import UsageError

SAMPLES, LABELS = drawn(20, *SHAPE), np.arange(20) % 3


@pytest.mark.slow
def test_bytes_and_paths_give_the_same_artifact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "net.tflite"
    source.write_bytes(float_cnn())
    np.savez(tmp_path / "d.npz", x=SAMPLES, labels=LABELS)
    first = tinyedge.convert(source, tmp_path / "d.npz")
    second = tinyedge.convert(float_cnn(), (SAMPLES, LABELS), name="other")
    assert isinstance(first, QuantizedModel)
    assert (first.name, second.name) == ("net", "other")
    assert first.tflite == second.tflite
    assert first.int8_accuracy == second.int8_accuracy
    wide = tinyedge.convert(float_cnn(), {"x": SAMPLES}, layers={"dense": "int16x8"})
    assert wide.tflite != first.tflite


def test_data_in_memory() -> None:
    for given in ((SAMPLES, LABELS), {"image": SAMPLES, "y": LABELS}):
        data = data_of(given)
        assert isinstance(data, Arrays)
        assert data.labels is not None
        assert len(data.inputs) == 1
    for wrong in (np.float32(1), [], {"labels": LABELS}, (SAMPLES, LABELS[:3]), np.array(["a"])):
        with pytest.raises(UsageError):
            data_of(wrong)


def test_what_is_no_model() -> None:
    with pytest.raises(UsageError, match=r"a builtins\.int is no model that tinyedge converts"):
        tinyedge.convert(3, SAMPLES)
    with pytest.raises(UsageError, match=r"a float \.tflite model cannot be trained on"):
        tinyedge.convert(float_cnn(), (SAMPLES, LABELS), qat=2)


def test_importing_tinyedge_imports_nothing_large() -> None:
    program = "import sys, tinyedge; sys.exit(any(name in sys.modules for name in ('numpy', 'tinyedge.convert')))"
    assert process.run([sys.executable, "-c", program], timeout_s=60, check=False).returncode == 0
