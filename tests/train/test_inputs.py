"""What a training read: recorded as it happens, and compared before its result is used again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyedge.train.inputs import are_unchanged

SCRIPT = """
import json, sys
from pathlib import Path
from tinyedge.train.inputs import Recorder

recipe = Path(sys.argv[1])
recorder = Recorder(recipe, [recipe / 'build'])
recorder.start()
sys.path.append(str(recipe))
import os
os.chdir(recipe)
exec((recipe / "load.py").read_text())
print(json.dumps(recorder.inputs()))
"""


def record(recipe: Path, code: str) -> dict[str, str]:
    """What `code` read, run in the folder `recipe` by an interpreter of its own."""
    (recipe / "load.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(recipe)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    found.pop("load.py")
    return found


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A recipe's folder, with data beside it."""
    (tmp_path / "recipe" / "deep").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1,0\n")
    (tmp_path / "data" / "b.csv").write_text("2,1\n")
    (tmp_path / "recipe" / "helper.py").write_text("scale = 1\n")
    return tmp_path


OPEN = "open('../data/a.csv').read()"
LIST = "[open(f'../data/{name}').read() for name in os.listdir('../data')]"
WALK = "sorted(Path('..', 'data').glob('*.csv'))"
IMPORT = "import helper"
MISSING = """
try:
    open('../data/weights.csv')
except FileNotFoundError:
    pass
"""


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (OPEN, lambda place: (place / "data/a.csv").write_text("1,1\n")),
        (OPEN, lambda place: (place / "data/a.csv").unlink()),
        (LIST, lambda place: (place / "data/c.csv").write_text("3,1\n")),
        (LIST, lambda place: (place / "data/b.csv").rename(place / "data/d.csv")),
        (WALK, lambda place: (place / "data/c.csv").write_text("3,1\n")),
        (WALK, lambda place: (place / "data/b.csv").write_text("2,0\n")),
        (IMPORT, lambda place: (place / "recipe/helper.py").write_text("scale = 2\n")),
        (MISSING, lambda place: (place / "data/weights.csv").write_text("1\n")),
    ],
)
def test_a_change_of_what_was_read_is_seen(place: Path, code: str, change: Callable[[Path], object]) -> None:
    found = record(place / "recipe", code)
    assert are_unchanged(found, place / "recipe")
    change(place)
    assert not are_unchanged(found, place / "recipe")


def test_a_compiled_module_stands_for_its_source(place: Path) -> None:
    recipe = place / "recipe"
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(recipe)], check=True)
    found = record(recipe, IMPORT)
    (recipe / "helper.py").write_text("scale = 2\n")
    assert not are_unchanged(found, recipe)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (OPEN, lambda place: os.utime(place / "data/a.csv", (1, 1))),
        (OPEN, lambda place: (place / "data/b.csv").unlink()),
        (IMPORT, lambda place: (place / "recipe/README.md").write_text("read me\n")),
        ("import json, sqlite3; open('/dev/null').read()", lambda place: None),
    ],
)
def test_what_was_not_read_does_not_count(place: Path, code: str, change: Callable[[Path], object]) -> None:
    found = record(place / "recipe", code)
    change(place)
    assert are_unchanged(found, place / "recipe")


def test_temporary_files_of_the_training_do_not_count(place: Path) -> None:
    code = """
import tempfile
with tempfile.TemporaryDirectory() as folder:
    Path(folder, "x").write_text("x")
    Path(folder, "x").read_text(), os.listdir(folder)
"""
    assert record(place / "recipe", code) == {}


def test_a_build_folder_in_the_recipes_does_not_count(place: Path) -> None:
    (place / "recipe" / "build").mkdir()
    (place / "recipe" / "build" / "kept.float").write_text("x")
    found = record(place / "recipe", "open('build/kept.float').read(); open('helper.py').read()")
    assert list(found) == ["helper.py"]


def test_what_tinyedge_looks_for_itself_does_not_count(place: Path) -> None:
    code = "from tinyedge.train.inputs import unrecorded\n"
    code += "with unrecorded():\n    os.listdir('.'), open('helper.py').read()\nopen('../data/a.csv').read()"
    assert [Path(path).name for path in record(place / "recipe", code)] == ["a.csv"]


def test_paths_inside_the_recipe_move_with_it(place: Path) -> None:
    found = record(place / "recipe", IMPORT)
    assert list(found) == ["helper.py"]
    (place / "recipe").rename(place / "moved")
    assert are_unchanged(found, place / "moved")


def test_a_pipe_is_never_the_same_twice(place: Path) -> None:
    os.mkfifo(place / "pipe")
    found = record(place / "recipe", "os.close(os.open('../pipe', os.O_RDONLY | os.O_NONBLOCK))")
    assert list(found) == [str(place / "pipe")]
    assert not are_unchanged(found, place / "recipe")
