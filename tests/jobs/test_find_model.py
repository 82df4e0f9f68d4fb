"""From what a user names to a model: paths before names, other formats by name, and the budget beside a file."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from kits.float_models import float_cnn
from kits.models import small_convolution
from tinyedge.artifacts import Silence
from tinyedge.errors import UsageError
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


def test_a_pickle_is_refused_and_never_loaded(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "m.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m/data.pkl", b"cos\nabort\n(tR.")
    for content in (path.read_bytes(), b"\x80\x04cos\nabort\n(tR."):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"is a pickle, as torch.save writes: .* it was not read") as caught:
            find_model(str(path), listener)
        assert "script.py:build" in caught.value.hint


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".pt2"])
def test_a_damaged_source_is_told_by_its_name(suffix: str, tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / f"m{suffix}"
    for content in (b"", b"PK\x03\x04 cut short", b"\x89HDF\r\n\x1a\n", bytes(300)):
        path.write_bytes(content)
        with pytest.raises(
            UsageError, match=f"holds nothing that a \\{suffix} holds: it is damaged, cut short"
        ) as caught:
            find_model(str(path), listener)
        assert "download it again" in caught.value.hint


def test_a_part_of_a_saved_model_names_its_folder(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "saved_model.pb"
    path.write_bytes(b"x")
    with pytest.raises(UsageError, match="is part of a SavedModel") as caught:
        find_model(str(path), listener)
    assert caught.value.hint == f"give its folder: `{tmp_path}`"


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


def test_a_float_model_needs_data(tmp_path: Path, listener: Listener) -> None:
    path = tmp_path / "float.tflite"
    path.write_bytes(float_cnn())
    with pytest.raises(
        UsageError, match=r"is a float \.tflite model: to quantize it, tinyedge needs samples"
    ) as caught:
        prepare(Choices(str(path), "nrf52840", "zig", None, tmp_path), listener)
    assert caught.value.hint.startswith("`--data FILE.npz`")
