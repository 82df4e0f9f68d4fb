"""From what a user names to a model: paths before names, other formats by name, and the budget beside a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kits.models import small_convolution
from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import Silence
from tinyedge.errors import ModelError, UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare
from tinyedge.jobs.train import find_model, load_model
from tinyedge.paths import models_dir
from tinyedge.train import Recipe


class Listener(Silence):
    """Who is told what is done, and keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def test_a_folder_goes_before_a_recipe_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.chdir(tmp_path)
    own = find_model("digits", listener)
    assert isinstance(own, Recipe)
    assert (own.folder, listener.notes) == (models_dir() / "digits", [])
    shutil.copytree(models_dir() / "digits", tmp_path / "digits")
    found = find_model("digits", listener)
    assert isinstance(found, Recipe)
    assert found.folder == (tmp_path / "digits").resolve()
    assert listener.notes == ["`digits` is the folder here, not tinyedge's recipe of that name"]


def test_the_recipes_own_folder_shadows_nothing(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    monkeypatch.chdir(models_dir())
    find_model("digits", listener)
    assert listener.notes == []


def test_a_folder_that_is_no_recipe_says_what_it_hides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    with pytest.raises(UsageError, match=r"`digits` holds no recipe\.toml") as caught:
        find_model("digits", listener)
    assert "goes before tinyedge's recipe `digits`" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "what", "cure"),
    [
        ("m.keras", "a model of Keras 3", "from_keras_model"),
        ("m.h5", "a model of Keras in HDF5", "from_keras_model"),
        ("m.H5", "a model of Keras in HDF5", "from_keras_model"),
        ("m.onnx", "an ONNX model", "onnx2tf"),
        ("m.pt2", "an exported program of PyTorch", "litert-torch"),
        ("m.pt", "a model or weights of PyTorch", "litert-torch"),
        ("m.pth", "weights of PyTorch", "litert-torch"),
        ("saved", "a SavedModel of TensorFlow", "from_saved_model"),
    ],
)
def test_models_of_other_formats_are_named(name: str, what: str, cure: str, tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / name
    if name == "saved":
        path.mkdir()
        (path / "saved_model.pb").write_bytes(b"x")
    else:
        path.write_bytes(b"PK\x03\x04 whatever")
    with pytest.raises(UsageError) as caught:
        find_model(str(path), listener)
    assert f"`{path}` is {what}; tinyedge takes" in caught.value.what
    assert cure in caught.value.hint


def test_content_goes_before_the_end_of_the_name(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "small.pt"
    path.write_bytes(small_convolution())
    assert find_model(str(path), listener) == path


def test_a_budget_beside_a_file(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "small.v2.tflite"
    path.write_bytes(small_convolution())
    assert load_model(str(path), tmp_path, listener).budget is None
    common, own = tmp_path / "budget.toml", tmp_path / "small.v2.budget.toml"
    common.write_text("arena_bytes = 1000\n")
    assert load_model(str(path), tmp_path, listener).budget == common
    own.write_text("arena_bytes = 2000\n")
    assert load_model(str(path), tmp_path, listener).budget == own


def test_a_float_model_is_told_as_such(tmp_path: Path, listener: Listener) -> None:
    builder = TfliteBuilder()
    source, target = builder.tensor([1, 4], "FLOAT32"), builder.tensor([1, 4], "FLOAT32")
    builder.operator("RELU", [source], [target])
    path = tmp_path / "float.tflite"
    path.write_bytes(builder.build([source], [target]))
    with pytest.raises(ModelError) as caught:
        prepare(Choices(str(path), "nrf52840", "zig", None, tmp_path), listener)
    assert "model `float` is a float model: operator 0 `relu`" in caught.value.what
    assert caught.value.what.endswith("computes in float32; no tensor of it was quantized")
    assert "representative_dataset" in caught.value.hint
