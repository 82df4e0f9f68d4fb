"""Without the wheel of TensorFlow Lite Micro outputs are compared with tinyedge's own references, which is said."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from kits.cli import tinyedge
from kits.models import small_convolution
from tinyedge.artifacts import QuantizedModel, Silence
from tinyedge.graph.reader import read_model
from tinyedge.measure.oracle import oracle_available
from tinyedge.measure.reference import NumpyReference, OracleReference, choose_reference
from tinyedge.measure.samples import load_inputs

pytestmark = pytest.mark.toolchain
RUN = ("run", "small.tflite", "-b", "nrf52840", "--samples", "3")


@pytest.fixture
def without_oracle(tmp_path: Path) -> dict[str, str]:
    """The environment of a child that cannot import the wheel."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text('import sys\n\nsys.modules["tflite_micro"] = None\n')
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    return tmp_path


def test_a_run_names_its_reference(small: Path, without_oracle: dict[str, str]) -> None:
    outcome = tinyedge(*RUN, "--html", "run.html", "--junit", "run.xml", cwd=small, env=without_oracle)
    assert outcome.code == 0, outcome.stderr
    assert "3 samples, 0 mismatches: every output byte equals tinyedge's reference\n" in outcome.stdout
    assert "is not installed here (its wheel is for Linux on x86_64)" in outcome.stdout
    for name in ("run.html", "run.xml"):
        text = (small / name).read_text().replace("&#39;", "'")
        assert "equals tinyedge's reference" in text
        assert "equals TensorFlow Lite Micro" not in text


def test_json_names_its_reference(small: Path, without_oracle: dict[str, str]) -> None:
    outcome = tinyedge(*RUN, "--json", cwd=small, env=without_oracle)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (3, 0)
    assert document["reference"] == "tinyedge's reference"


@pytest.mark.skipif(not oracle_available(), reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)")
def test_both_references_compute_the_same(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = QuantizedModel.from_file(small / "small.tflite")
    graph = read_model(model.tflite, model.name)
    oracle = choose_reference(model, graph, graph, small)
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    own = choose_reference(model, graph, graph, small)
    assert (type(oracle), type(own)) == (OracleReference, NumpyReference)
    monkeypatch.undo()
    samples = load_inputs("random:7", graph, 4)
    for one, other in zip(oracle.outputs(samples, Silence()), own.outputs(samples, Silence()), strict=True):
        np.testing.assert_array_equal(one, other)
