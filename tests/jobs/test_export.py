"""What an export writes, and what it refuses; several models in one firmware."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from tinyedge.artifacts import Silence
from tinyedge.errors import UsageError
from tinyedge.jobs.build import build_each
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.export import ExportChoices, Exported, export

MODELS = Path(__file__).parent.parent / "cases" / "models"
PLAIN, STATEFUL = MODELS / "k3_cnn_flatten.tflite", MODELS / "stream_state.tflite"


def choices(folder: Path, *models: Path, **more: Any) -> Choices:
    first, *others = map(str, models or (PLAIN,))
    board = more.pop("board", "host")
    return Choices(first, board, "zig", None, folder / "build", others=tuple(others), **more)


def exported(folder: Path, *models: Path, board: str = "host", **how: Any) -> Exported:
    return export(choices(folder, *models, board=board), ExportChoices(**{"world": "cmake", **how}), Silence())


def test_an_archive_is_the_same_whatever_it_is_called(tmp_path: Path) -> None:
    digests = set()
    for name in ("one.zip", "two.zip"):
        exported(tmp_path, PLAIN, STATEFUL, world="arduino", name="Nets", zipped=True, output=tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_the_name_of_one_model_is_the_librarys(tmp_path: Path) -> None:
    made = exported(tmp_path, name="Words", output=tmp_path / "out")
    assert "Words.h" in made.library.files
    assert (tmp_path / "out/src/Words_selftest.c").is_file()
    joint = exported(tmp_path, PLAIN, STATEFUL, name="Words", output=tmp_path / "both")
    assert {"k3_cnn_flatten.h", "stream_state.h", "te_shared_arena.c"} <= set(joint.library.files)


def test_a_place_that_was_named_is_looked_at_before_the_model(tmp_path: Path) -> None:
    """A recipe would be trained for minutes first."""
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        exported(tmp_path, tmp_path / "no.tflite", output=tmp_path / "there")


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    folder, archive = tmp_path / "there", tmp_path / "a.zip"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    archive.write_text("mine")
    with pytest.raises(UsageError, match="is not empty: nothing was written") as raised:
        exported(tmp_path, output=folder)
    assert "--force" in raised.value.hint
    with pytest.raises(UsageError, match="is there already"):
        exported(tmp_path, output=archive, zipped=True)
    with pytest.raises(UsageError, match="is no folder"):
        exported(tmp_path, output=archive)
    with pytest.raises(UsageError, match="is a folder"):
        exported(tmp_path, output=folder, zipped=True)
    assert archive.read_text() == "mine"
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]

    exported(tmp_path, output=folder, force=True)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "CMakeLists.txt").is_file()
    exported(tmp_path, output=archive, zipped=True, force=True)
    assert archive.read_bytes().startswith(b"PK")


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def fail_on_readme(path: Path, content: bytes) -> int:
        if path.name == "README.md":
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fail_on_readme)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        exported(tmp_path, output=tmp_path / "out")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("how", "words", "hint"),
    [
        ({"name": "3d"}, "no C identifier", "--name model_3d"),
        ({"name": "my-net"}, "no C identifier", "--name my_net"),
        ({"name": "string"}, "is a name of C", "--name model_string"),
        ({"world": "cmaek"}, "no world `cmaek`", "arduino, cmake"),
        ({"world": "zip"}, "no world `zip`", "--zip"),
        ({"world": "esp-idf", "board": "nrf52840dk"}, "no ESP32", "leave out `--board`"),
        ({"output": Path("/proc/nowhere/there")}, "cannot be written", "-o"),
    ],
)
def test_what_cannot_be_exported(
    how: dict[str, Any], words: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=words) as raised:
        exported(tmp_path, **how)
    assert hint in raised.value.hint
    assert not [path for path in tmp_path.iterdir() if path.name != "build"]


def test_two_models_of_one_name(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Path(shutil.copy(STATEFUL, tmp_path / "other" / PLAIN.name))
    with pytest.raises(UsageError, match="have one name in C"):
        exported(tmp_path, PLAIN, other, output=tmp_path / "out")
    with pytest.raises(UsageError, match="have one name in C"):
        build_each(choices(tmp_path, PLAIN, other), Silence())


def test_models_whose_state_cannot_be_shared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"keeps its state in the arena, which models .* cannot share"):
        build_each(choices(tmp_path, PLAIN, MODELS / "s_zp_one.tflite", runtime="tflm"), Silence())
    with pytest.raises(UsageError, match="reuses the memory of inputs"):
        build_each(choices(tmp_path, runtime="tflm", keep_inputs=True), Silence())
