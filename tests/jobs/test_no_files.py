"""What stands where a file should be and is none: a pipe, a device or a folder is refused, never waited for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.models import small_convolution
from tinyedge.artifacts import Silence
from tinyedge.cli.config import load_config
from tinyedge.errors import UsageError
from tinyedge.graph.reader import read_model
from tinyedge.jobs.train import find_model, load_model
from tinyedge.measure.samples import load_inputs
from tinyedge.paths import write_whole
from tinyedge.report.budgets import read_budget_file
from tinyedge.train.recipe import load_recipe

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")

MAKERS: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": lambda path: path.mkdir(),
}


def use_budget(path: Path) -> None:
    model = path.with_name("small.tflite")
    model.write_bytes(small_convolution())
    found = load_model(str(model), path.parent, Silence()).budget
    assert found == path, "a budget that cannot be read is not ignored"
    read_budget_file(found)


def use_inputs(path: Path) -> None:
    load_inputs(str(path), read_model(small_convolution(), "small"))


USERS: dict[str, Callable[[Path], object]] = {
    "small.tflite": lambda path: find_model(str(path), Silence()),
    "recipe.toml": lambda path: load_recipe(path.parent),
    "tinyedge.toml": lambda path: load_config(path.parent),
    "pyproject.toml": lambda path: load_config(path.parent),
    "inputs.npy": use_inputs,
    "budget.toml": use_budget,
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("name", USERS)
def test_what_is_no_file_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    MAKERS[kind](path)
    with pytest.raises(UsageError, match="not a file: a folder, a pipe or a device cannot be read") as caught:
        USERS[name](path)
    assert name in caught.value.what
    assert caught.value.hint


def test_an_error_of_writing_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OSError, match="report") as caught:
        write_whole(tmp_path / "report.html", b"page")
    assert caught.value.filename == str(tmp_path / "report.html")
    assert caught.value.filename2 is None
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
