"""What `tinyedge train --data` named is what the commands behind it take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from tinyedge.artifacts import Silence
from tinyedge.errors import UsageError
from tinyedge.jobs.last_training import as_last_trained, choose, keep_last_training
from tinyedge.train.recipe import Recipe, find_recipe


class Said(Silence):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def activity() -> Recipe:
    return find_recipe("activity")


def test_data_and_seed_are_those_of_the_last_training(activity: Recipe, tmp_path: Path) -> None:
    data = tmp_path / "watch.npy"
    data.touch()
    keep_last_training(activity, tmp_path, data, 7)
    said = Said()
    found = as_last_trained(activity, tmp_path, said)
    assert found == choose(activity, data=data, seed=7)
    (note,) = said.notes
    assert f"`activity` as last trained: --data {data} --seed 7" in note


def test_a_training_without_them_goes_back_to_the_recipe(activity: Recipe, tmp_path: Path) -> None:
    data = tmp_path / "watch.npy"
    data.touch()
    keep_last_training(activity, tmp_path, data, None)
    assert as_last_trained(activity, tmp_path, Silence()) != activity
    keep_last_training(activity, tmp_path, None, None)
    assert as_last_trained(activity, tmp_path, Silence()) == activity
    assert not list(tmp_path.rglob("*.json"))


def test_of_another_recipe_nothing_is_taken(activity: Recipe, tmp_path: Path) -> None:
    keep_last_training(activity, tmp_path, None, 7)
    fashion = find_recipe("fashion")
    assert as_last_trained(fashion, tmp_path, Silence()) == fashion


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"schema": 1}', b'{"schema": "tinyedge.last-training/1", "seed": "x"}']
)
def test_a_damaged_file_is_said_and_left_aside(activity: Recipe, tmp_path: Path, content: bytes) -> None:
    keep_last_training(activity, tmp_path, None, 7)
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(content)
    said = Said()
    assert as_last_trained(activity, tmp_path, said) == activity
    assert "damaged" in said.notes[0]


def test_of_another_version_is_said_and_left_aside(activity: Recipe, tmp_path: Path) -> None:
    keep_last_training(activity, tmp_path, None, 7)
    (path,) = tmp_path.rglob("*.json")
    path.write_text(path.read_text().replace("last-training/1", "last-training/99"))
    said = Said()
    assert as_last_trained(activity, tmp_path, said) == activity
    assert "another version" in said.notes[0]


def test_data_that_is_no_longer_there_is_refused_with_the_way_back(activity: Recipe, tmp_path: Path) -> None:
    keep_last_training(activity, tmp_path, tmp_path / "gone.npy", None)
    with pytest.raises(
        UsageError, match=r"`activity` was last trained with --data .*gone\.npy.* no longer there"
    ) as raised:
        as_last_trained(activity, tmp_path, Silence())
    assert "`tinyedge train activity` goes back" in str(raised.value.hint)


def test_a_recipe_that_names_no_data_any_more_is_refused(activity: Recipe, tmp_path: Path) -> None:
    keep_last_training(activity, tmp_path, tmp_path, None)
    bare = replace(activity, data=MappingProxyType({}))
    with pytest.raises(UsageError, match="names no file or folder") as raised:
        as_last_trained(bare, tmp_path, Silence())
    assert f"without --data {tmp_path}" in str(raised.value.hint)
