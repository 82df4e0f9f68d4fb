"""The settings of a project: two files, every key checked, paths from where the file stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyedge.cli.config import Config, load_config
from tinyedge.errors import UsageError


def test_a_folder_without_settings(tmp_path: Path) -> None:
    assert load_config(tmp_path) == Config()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    assert load_config(tmp_path) == Config()


def test_its_own_file_wins_and_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.tinyedge]\nmodel = "sine"\ntflm = "tree"\n')
    assert load_config(tmp_path) == Config(model="sine", tflm=tmp_path / "tree")
    (tmp_path / "tinyedge.toml").write_text('model = "digits"\nruntime = "tflm"\nbuild_dir = "/out"\n')
    assert load_config(tmp_path) == Config(model="digits", runtime="tflm", build_dir=Path("/out"))


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("tinyedge.toml", 'bord = "x"', "settings in `tinyedge.toml`: unknown key `bord`; did you mean `board`?"),
        ("tinyedge.toml", "board = 3", "`board` is 3, not of type str"),
        ("tinyedge.toml", "tflm = 3", "`tflm` is 3, not of type str"),
        ("tinyedge.toml", 'compiler = "clang"', "`compiler` is 'clang'; known are `zig`, `gcc`"),
        ("tinyedge.toml", 'optimize = "balance"', "`optimize` is 'balance'; did you mean `balanced`?"),
        ("tinyedge.toml", "board", "cannot be read as TOML"),
        ("tinyedge.toml", 'board = "\xff"', "cannot be read as TOML"),
        ("pyproject.toml", '[tool.tinyedge]\nbord = "x"', "unknown key `tool.tinyedge.bord`"),
        ("pyproject.toml", "[tool]\ntinyedge = 3", "`tool.tinyedge` is 3, not a table"),
        ("pyproject.toml", "tool = 3", "`tool.tinyedge` is 3, not a table"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(tmp_path: Path, file: str, text: str, said: str) -> None:
    (tmp_path / file).write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        load_config(tmp_path)
    assert said in caught.value.what
    assert "build_dir" in caught.value.hint
    assert caught.value.exit_code == 2


def test_settings_are_looked_for_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths start at the file that holds them; a pyproject.toml without our table is passed by."""
    (tmp_path / "net.tflite").write_bytes(b"")
    (tmp_path / "tinyedge.toml").write_text('model = "net.tflite"\nboard = "bluepill"\nbuild_dir = "out"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text('[project]\nname = "x"\n')
    monkeypatch.chdir(below)
    found = Config(model=str(tmp_path / "net.tflite"), board="bluepill", build_dir=tmp_path / "out")
    assert load_config(below) == found
    (tmp_path / "a" / "pyproject.toml").write_text('[tool.tinyedge]\nmodel = "sine"\n')
    assert load_config(below) == Config(model="sine")


def test_settings_end_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "tinyedge.toml").write_text('model = "sine"\n')
    inside = tmp_path / "repository" / "folder"
    inside.mkdir(parents=True)
    (inside.parent / ".git").mkdir()
    assert load_config(inside) == Config()
    (inside.parent / "tinyedge.toml").write_text('model = "digits"\n')
    assert load_config(inside) == Config(model="digits"), "the repository's own folder counts"
