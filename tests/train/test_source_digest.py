"""The data that a recipe names is part of what its model is determined by: contents, not times."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kits.data_files import make_wav
from tinyedge.train import load_recipe, training_digest

RECIPE = '[data]\nsource = "{source}"\nwindow = 20\n[fit]\nepochs = 1\n'


def recipe_with(folder: Path, source: str) -> Path:
    folder.mkdir()
    (folder / "recipe.toml").write_text(RECIPE.format(source=source))
    (folder / "model.py").write_text("def build():\n    raise NotImplementedError\n")
    return folder


@pytest.mark.parametrize("source", ["data", "../elsewhere"])
def test_files_of_a_source_train_again(source: str, tmp_path: Path) -> None:
    folder = recipe_with(tmp_path / "own", source)
    data = folder / source
    data.mkdir()
    make_wav(data)
    recipe = load_recipe(folder)
    first = training_digest(recipe)
    file = data / "idle" / "anna_0.wav"
    os.utime(file, (1, 1))
    assert training_digest(recipe) == first
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"\x2a")
    changed = training_digest(recipe)
    file.write_bytes(whole)
    assert training_digest(recipe) == first
    (data / "idle" / "new.wav").write_bytes(whole)
    added = training_digest(recipe)
    (data / "idle" / "new.wav").unlink()
    file.unlink()
    removed = training_digest(recipe)
    assert len({first, changed, added, removed}) == 4
