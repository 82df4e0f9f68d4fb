"""`--data` of a finished model: accuracy, confusion matrix and recall of each class, of what the device answered."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kits.cli import tinyedge
from kits.data_files import write_png, write_wav
from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import QuantizedModel, Samples
from tinyedge.digests import digest
from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.features.quantize import fit_input
from tinyedge.graph.reader import read_model
from tinyedge.jobs.data import Given, labelled_samples


class Notes:
    """An observer that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def note(self, text: str) -> None:
        self.said.append(text)

    def progress(self, label: str) -> AbstractContextManager[None]:
        return nullcontext()


def echo(*shape: int) -> bytes:
    """A model that answers with its input: the class of a sample is its largest value."""
    builder = TfliteBuilder()
    source = builder.tensor((1, *shape), scale=0.5, zero_point=-20)
    target = builder.tensor((1, *shape), scale=0.5, zero_point=-20)
    builder.operator("relu", [source], [target])
    return builder.build([source], [target])


def samples(
    path: Path, tflite: bytes, count: int | None = None, names: tuple[str, ...] = (), features: Features | None = None
) -> tuple[Samples, list[str]]:
    model = QuantizedModel("net", tflite, digest(tflite), class_names=names)
    graph = read_model(tflite, "net")
    filled = None if features is None else fit_input(features, "net", graph.input_tensors()[0])
    prepared: Any = SimpleNamespace(model=model, original=graph, feature_input=filled)
    notes: Any = Notes()
    found = labelled_samples(Given(path), prepared, count, notes)
    return found, notes.said


ROWS = "x,y,z,label\n9,1,1,circle\n9,2,1,circle\n1,9,1,idle\n9,1,2,idle\n1,1,9,updown\n2,1,9,updown\n"
"""one `idle` looks like a `circle`"""


@pytest.mark.slow
def test_a_model_is_judged_on_the_device(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(echo(3))
    (tmp_path / "data.csv").write_text(ROWS)
    arguments = ("run", "net.tflite", "--board", "nrf52840", "--data", "data.csv")
    outcome = tinyedge(*arguments, "--json", "--html", "page.html", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert document["verify"] == {"samples": 6, "mismatches": 0, "first_mismatch": None}
    assert document["accuracy"]["device"] == pytest.approx(5 / 6)
    assert document["data"] == "data.csv"
    assert document["confusion"] == {
        "class_names": ["circle", "idle", "updown"],
        "counts": [[2, 0, 0], [1, 1, 0], [0, 0, 2]],
        "recall": [1.0, 0.5, 1.0],
        "precision": [pytest.approx(2 / 3), 1.0, 1.0],
    }
    page = (tmp_path / "page.html").read_text()
    assert "<h2>Classes</h2>" in page
    assert "circle (1)" in page
    outcome = tinyedge(*arguments, cwd=tmp_path)
    assert "accuracy      device 0.8333 on data.csv" in outcome.stdout
    assert ["idle", "2", "0.500", "1.000", "circle", "(1)"] in map(str.split, outcome.stdout.splitlines())
    assert "is / said  circle  idle  updown" in outcome.stdout
    outcome = tinyedge("bench", *arguments[1:], "--runtime", "aot", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    assert "0 mismatches; accuracy 0.8333 on data.csv" in outcome.stdout
    assert "is / said  circle  idle  updown" in outcome.stdout


def test_values_are_quantized_and_those_of_the_inputs_type_are_not(tmp_path: Path) -> None:
    np.savez(tmp_path / "real.npz", x=np.array([[1.0, -2.0, 99.0]]), labels=[2])
    np.savez(tmp_path / "stored.npz", x=np.array([[1, -2, 99]], np.int8), labels=[2])
    for name, wanted in (("real", [-18, -24, 127]), ("stored", [1, -2, 99])):
        found, _ = samples(tmp_path / f"{name}.npz", echo(3))
        (array,) = found.arrays
        assert array.dtype == np.int8
        assert array.tolist() == [[wanted]]


def test_samples_are_spread_evenly(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(ROWS)
    found, _ = samples(tmp_path / "data.csv", echo(3), count=3)
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 2]
    with pytest.raises(UsageError, match=r"holds 6 samples, not 7"):
        samples(tmp_path / "data.csv", echo(3), count=7)


def test_classes_go_by_the_names_of_the_model(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(ROWS)
    found, _ = samples(tmp_path / "data.csv", echo(3), names=("updown", "idle", "circle"))
    assert found.labels is not None
    assert found.labels.tolist() == [2, 2, 1, 1, 0, 0]
    assert tuple(found.class_names) == ("updown", "idle", "circle")
    with pytest.raises(UsageError, match="has the class `circle`, which `net` does not know") as caught:
        samples(tmp_path / "data.csv", echo(3), names=("circles", "idle", "updown"))
    assert "`circles`" in caught.value.hint


def test_one_output_that_is_no_probability_takes_whole_numbers_as_values(tmp_path: Path) -> None:
    (tmp_path / "age.csv").write_text("x,target\n1,20\n2,23\n3,20\n")
    np.savez(tmp_path / "age.npz", x=np.ones((3, 1)), labels=[20, 23, 20])
    for name in ("age.csv", "age.npz"):
        found, _ = samples(tmp_path / name, echo(1))
        assert found.labels is not None
        assert found.labels.dtype == np.float32
        assert found.labels.tolist() == [20, 23, 20]
        assert found.class_names == ()
    (tmp_path / "sides.csv").write_text("x,label\n-1,left\n2,right\n")
    found, _ = samples(tmp_path / "sides.csv", echo(1))
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1]


def test_data_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(ROWS)
    with pytest.raises(UsageError, match=r"input `\w*` takes \[N, 4\]"):
        samples(tmp_path / "data.csv", echo(4))
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 6)), labels=[0, 1])
    with pytest.raises(UsageError, match=r"the data is float64 \[2, 6\], input `\w*` takes \[N, 3\]"):
        samples(tmp_path / "d.npz", echo(3))
    (tmp_path / "one.csv").write_text("a,b,c,label\n1,2,3,x\n4,5,6,x\n")
    with pytest.raises(UsageError, match=r"has one class \(x\), `net` tells 3 apart"):
        samples(tmp_path / "one.csv", echo(3))
    (tmp_path / "two.csv").write_text(ROWS.replace("idle", "circle"))
    with pytest.raises(UsageError, match=r"has 2 classes \(circle, updown\), `net` tells 3 apart"):
        samples(tmp_path / "two.csv", echo(3))
    np.savez(tmp_path / "d.npz", x=np.zeros((2, 3)), labels=[0, 3])
    with pytest.raises(UsageError, match="has the label 3; `net` has 3 classes"):
        samples(tmp_path / "d.npz", echo(3))


def test_numbers_go_by_the_names_where_the_model_has_such(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.zeros((3, 3)), labels=[5, -1, 5])
    found, _ = samples(tmp_path / "d.npz", echo(3), names=("-1", "2", "5"))
    assert found.labels is not None
    assert found.labels.tolist() == [2, 0, 2]


def test_recordings_become_as_long_as_the_input(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_wav(tmp_path / name / "1.wav", np.arange(25))
    found, notes = samples(tmp_path, echo(10), names=tuple("abcdefghij"))
    assert found.arrays[0].shape == (4, 1, 10)
    assert notes == ["recordings are cut into windows of 10 samples, as the model takes them"]


def test_images_become_as_large_as_the_input(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow is missing: the extra `data` brings it")
    write_png(tmp_path / "test" / "a" / "1.png", np.full((20, 30, 3), 255))
    write_png(tmp_path / "train" / "b" / "1.png", np.full((9, 9), 255))
    found, notes = samples(tmp_path, echo(4, 6, 1), names=("a", "b"))
    assert found.arrays[0].shape == (1, 1, 4, 6, 1)
    assert set(found.arrays[0].ravel().tolist()) == {-18}
    assert notes == ["2 of 2 images are resized to 4 x 6", "of 2 recordings, the 1 of the test are taken"]


@pytest.mark.slow
def test_features_are_computed_of_recordings(tmp_path: Path) -> None:
    """What goes in are windows of the sensor's samples; the network's input is what the host computes of them."""
    imu = read_features(
        {"kind": "imu", "rate_hz": 50, "axes": 2, "values": ["mean"], "window": 4, "stride": 4, "counts": 100}
    )
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        rows = "".join(f"{20 * at},{at},{-at}\n" for at in range(17))
        (tmp_path / name / "1.csv").write_text(f"timestamp,ax,ay\n{rows}")
    found, notes = samples(tmp_path, echo(2, 2), names=("a", "b"), features=imu)
    assert found.raw is not None
    assert found.raw.shape == (4, 8, 2)
    assert found.raw[1, 0].tolist() == [800, -800]
    assert found.arrays[0].shape == (4, 1, 2, 2)
    assert notes == ["recordings are cut into windows of 8 samples, as the model takes them"]
    slow = read_features({"kind": "imu", "rate_hz": 25, "axes": 2, "values": ["mean"], "window": 4, "stride": 4})
    with pytest.raises(UsageError, match=r"1.csv` has 50 rows a second by its column `timestamp`, not 25"):
        samples(tmp_path, echo(2, 2), names=("a", "b"), features=slow)


def test_a_table_says_how_data_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y,z,kind\n" + "1,2,3,a\n" * 4 + "3,2,1,b\n" * 4)
    (tmp_path / "data.toml").write_text('source = "rows.csv"\nlabels = "kind"\nwindow = 2\nstride = 1\n')
    found, _ = samples(tmp_path / "data.toml", echo(2, 3), names=("b", "a", "c"))
    assert found.labels is not None
    assert found.labels.tolist() == [1, 1, 1, 0, 0, 0]
    (tmp_path / "data.toml").write_text('source = "rows.csv"\nlable = "kind"\n')
    with pytest.raises(UsageError, match=r"data.toml`: unknown key `lable`; did you mean `labels`"):
        samples(tmp_path / "data.toml", echo(2, 3))


def test_the_samples_of_data_are_not_the_models_test_set(tmp_path: Path) -> None:
    """A JUnit report compares accuracies of the same samples alone."""
    from kits.artifacts_by_hand import measured
    from tinyedge.report.junit import run_cases

    own = measured()
    other = replace(own, samples=replace(own.samples, source="data.csv"), run=replace(own.run, device_accuracy=0.5))
    failed = [case.name for case in run_cases(other) if case.failure]
    assert failed == []
