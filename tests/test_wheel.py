"""The wheel, installed into an empty environment outside the checkout, brings everything a .tflite needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kits.models import small_convolution
from kits.recipes import write_recipe
from tinyedge.install import LOCK

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]  # it is built and installed once


def _run(*arguments: str | Path, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "TINYEDGE"))}
    done = subprocess.run(
        list(map(str, arguments)), cwd=cwd, env=clean, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of a new environment that holds the wheel and what it depends on, without the extra `train`."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, root, cwd=folder)
    (wheel,) = folder.glob("tinyedge_toolchain-*.whl")
    _run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    bin_dir = folder / "venv" / "bin"
    pip = [bin_dir / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "install", "--constraint", root / LOCK, wheel, cwd=folder)
    return bin_dir


def test_wheel_lists_the_boards(installed: Path, tmp_path: Path) -> None:
    document = json.loads(_run(installed / "tinyedge", "boards", "--json", cwd=tmp_path))
    assert document["schema"] == "tinyedge.boards/1"
    assert "nrf52840dk" in [board["name"] for board in document["boards"]]


def test_wheel_runs_a_trained_model(installed: Path, shared_models: Path, tmp_path: Path) -> None:
    model = shared_models / "hello_world_int8.tflite"
    document = json.loads(_run(installed / "tinyedge", "run", model, "--board", "nrf52840dk", "--json", cwd=tmp_path))
    assert document["verify"] == {"samples": 20, "mismatches": 0} | document["verify"]
    assert document["instructions"]["value"] > 0


def test_wheel_starts_projects(installed: Path, tmp_path: Path) -> None:
    document = json.loads(_run(installed / "tinyedge", "new", "wand", "--from", "gesture", "--json", cwd=tmp_path))
    assert (tmp_path / "wand" / ".gitignore").is_file()
    assert sorted(document["files"]) == sorted(
        path.relative_to(tmp_path / "wand").as_posix() for path in (tmp_path / "wand").rglob("*") if path.is_file()
    )
    recipe = (tmp_path / "wand" / "recipe.toml").read_text(encoding="utf-8")
    assert "# times that the training sees every sample" in recipe  # from the sources of the wheel


def test_hints_of_the_wheel_name_the_distribution(installed: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path / "clouds")
    done = subprocess.run(
        [installed / "tinyedge", "train", recipe], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert f"{installed / 'python'} -m pip install 'tinyedge-toolchain[train]'" in done.stderr


def test_the_doctor_finds_no_foreign_distribution(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run([installed / "tinyedge", "doctor"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_wheel_builds_a_tflite_without_tensorflow(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    missing = subprocess.run(
        [installed / "python", "-c", "import tensorflow"], cwd=tmp_path, capture_output=True, check=False
    )
    assert missing.returncode != 0, "the environment must not hold TensorFlow"
    document = json.loads(_run(installed / "tinyedge", "run", "small.tflite", "-b", "nrf52840", "--json", cwd=tmp_path))
    assert document["verify"] == {"samples": 20, "mismatches": 0} | document["verify"]
    assert (tmp_path / "build" / "small" / "nrf52840dk-zig" / "build" / "firmware.elf").is_file()
