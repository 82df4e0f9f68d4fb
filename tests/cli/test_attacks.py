"""What lies on disk and in the environment is not trusted: damage, hostile variables, kills and full disks in turn.

After each attack a run gives the very image and outputs it gave before, or ends with words; none is ever wrong.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kits.cli import Outcome, program, tinyedge
from kits.processes import processes_with, wait_until
from kits.recipes import needs_tensorflow, write_recipe
from tinyedge import paths

RUN = ("run", "small.tflite", "-b", "nrf52840", "--samples", "5", "--json")
BUILD = ("build", "small.tflite", "-b", "nrf52840")
FLASH = ("flash", "small.tflite", "-b", "nrf52840", "--no-banner")
KILLS = int(os.environ.get("TINYEDGE_TEST_KILLS", "50"))
"""of `run`, `build`, `flash` and `train` together; docs/trust.md says how many were tried by hand"""
VARIABLES = ("CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="uses kill -9 and limits of POSIX")]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[len(data) // 2] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.fixture
def place(small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the model, a cache and a folder for temporary files of its own; zig's libraries are the user's."""
    shutil.copy(small_folder / "small.tflite", tmp_path)
    (tmp_path / "cache").mkdir(mode=0o700)
    libraries = paths.cache_dir() / "zig-libraries"
    shutil.copytree(libraries, tmp_path / "cache" / libraries.name, ignore=shutil.ignore_patterns("*.tmp", "*.part"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


@pytest.fixture
def right(small_folder: Path) -> dict[str, Any]:
    """The figures where nothing was attacked."""
    return figures(tinyedge(*RUN, cwd=small_folder))


def figures(outcome: Outcome) -> dict[str, Any]:
    """What must never change."""
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert document["verify"]["mismatches"] == 0
    return {"digests": document["digests"], "instructions": document["instructions"]}


def left_overs(place: Path) -> list[str]:
    return sorted(str(path) for path in place.rglob("*") if path.name.endswith((".part", ".tmp")))


def cached_files(place: Path) -> list[Path]:
    kept = [path for room in ("objects", "unicorn", "zig-libraries") for path in (place / "cache" / room).iterdir()]
    return sorted([*kept, *(place / "build" / "small" / "expected").iterdir()])


@pytest.mark.parametrize("damage", [flip, cut, empty])
def test_a_damaged_file_of_a_cache_is_made_again(place: Path, damage: Callable[[Path], None]) -> None:
    """A changed bit in each file alone; files that are cut or empty: the first of each room alone, then all at once."""
    right = figures(tinyedge(*RUN, cwd=place))
    files = cached_files(place)
    assert len(files) > 10
    firsts = {path.parent: path for path in reversed(files)}.values()
    for damaged in [[path] for path in files] if damage is flip else [*([path] for path in firsts), files]:
        for path in damaged:
            damage(path)
        shutil.rmtree(place / "build" / "small" / "nrf52840dk-zig")  # so that nothing but the cache is asked
        assert figures(tinyedge(*RUN, cwd=place)) == right, damaged


@pytest.mark.parametrize(
    "name", [*VARIABLES, "SOURCE_DATE_EPOCH", "ZIG_LIB_DIR", "ZIG_LOCAL_CACHE_DIR", "LD_LIBRARY_PATH"]
)
def test_a_variable_of_the_environment_changes_no_image(place: Path, right: dict[str, Any], name: str) -> None:
    hostile = place / "hostile"
    hostile.mkdir()
    (hostile / "stdint.h").write_text("#error hostile\n")
    (hostile / "string.h").write_text("#error hostile\n")
    value = "1" if name == "SOURCE_DATE_EPOCH" else str(hostile)
    assert figures(tinyedge(*RUN, cwd=place, env={name: value})) == right
    assert figures(tinyedge(*RUN, cwd=place)) == right, "the cache was poisoned"


def kill_within(seconds: float, arguments: Sequence[str], place: Path, env: Mapping[str, str]) -> None:
    """Start a call, kill it after so long, and see all that it started end."""
    mark = f"{place}-{time.monotonic_ns()}"
    with subprocess.Popen(
        program(*arguments), cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, **env, "TINYEDGE_TEST_ATTACK": mark},
    ) as process:  # fmt: skip
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    # A compiler that it started ends with what it was at; one that is asked for more ends at once.
    assert wait_until(lambda: not list(processes_with(f"TINYEDGE_TEST_ATTACK={mark}")), 60)


@pytest.mark.parametrize(
    ("command", "kills"),
    [(RUN, 2 * KILLS // 5), (BUILD, KILLS // 4), (FLASH, KILLS // 4)],
    ids=["run", "build", "flash"],
)
def test_a_kill_at_any_moment_leaves_nothing(
    place: Path, with_pyocd: dict[str, str], command: Sequence[str], kills: int
) -> None:
    """Every other time nothing was built before."""
    right = figures(tinyedge(*RUN, cwd=place))
    begun = time.monotonic()
    assert tinyedge(*command, cwd=place, env=with_pyocd).code == 0
    longest = time.monotonic() - begun
    draw = random.Random(7)
    for number in range(kills):
        if number % 2:
            shutil.rmtree(place / "cache" / "objects", ignore_errors=True)
            shutil.rmtree(place / "build", ignore_errors=True)
        kill_within(draw.uniform(0, longest * (1 + number % 2)), command, place, with_pyocd)
        assert figures(tinyedge(*RUN, cwd=place)) == right
        assert left_overs(place) == [], number


@needs_tensorflow
def test_a_kill_at_any_moment_of_a_training_leaves_nothing(place: Path) -> None:
    recipe = place / "clouds"
    write_recipe(recipe)
    command = ("train", "clouds", "--json")

    def trained() -> dict[str, Any]:
        outcome = tinyedge(*command, cwd=place)
        assert outcome.code == 0, outcome.stderr
        document = json.loads(outcome.stdout)
        return {key: document[key] for key in ("digest", "accuracy", "sparsity")}

    begun = time.monotonic()
    right = trained()
    longest = time.monotonic() - begun
    draw = random.Random(8)
    for number in range(KILLS // 10):
        kill_within(draw.uniform(0.3, 1) * longest, (*command, "--again"), place, {})
        if number % 2:
            shutil.rmtree(place / "build" / "clouds" / "trained", ignore_errors=True)
        assert trained() == right
        assert left_overs(place) == [], number
    assert sorted(path.name for path in recipe.iterdir()) == ["data.py", "model.py", "recipe.toml"]


@pytest.mark.parametrize("most_bytes", [0, 600, 5_000, 10_000])
def test_a_full_disk_ends_with_words_and_heals(place: Path, most_bytes: int) -> None:
    """A limit on the size of files stands for a disk that is full after so many bytes."""
    right = figures(tinyedge(*RUN, cwd=place))
    shutil.rmtree(place / "cache" / "objects")
    shutil.rmtree(place / "build")

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    done = subprocess.run(
        program(*RUN), cwd=place, capture_output=True, text=True, check=False, preexec_fn=limit, timeout=300
    )
    assert done.returncode in (1, 2, 3), done.stderr
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    assert figures(tinyedge(*RUN, cwd=place)) == right
    assert left_overs(place) == []


def test_a_full_standard_output_is_said(place: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            program("boards"), cwd=place, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    assert done.returncode == 1
    assert "error: the result cannot be written to standard output: No space left on device" in done.stderr
