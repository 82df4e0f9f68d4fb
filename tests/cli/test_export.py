"""`tinyedge export`, and several models in one firmware, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.cli import assert_refused, tinyedge

MODELS = Path(__file__).parent.parent / "cases" / "models"
PLAIN, STATEFUL = MODELS / "k3_cnn_flatten.tflite", MODELS / "stream_state.tflite"


def test_a_project_and_what_to_type_next(tmp_path: Path) -> None:
    outcome = tinyedge("export", PLAIN, "--as", "cmake", "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert document["schema"] == "tinyedge.export/1"
    folder = tmp_path / document["output"]
    assert folder.name == "k3_cnn_flatten-cmake"
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert written == document["files"]
    assert document["next"][0] == "cmake -B build"
    assert document["models"][0]["header"] == "k3_cnn_flatten.h"
    assert_refused(tinyedge("export", PLAIN, "--as", "cmake", cwd=tmp_path), 2, "is not empty", "--force")


@pytest.mark.parametrize("arena", ["shared", pytest.param("separate", marks=pytest.mark.slow)])
def test_two_models_in_one_firmware_are_each_verified(arena: str, tmp_path: Path) -> None:
    (tmp_path / "tinyedge.toml").write_text(f'models = ["{PLAIN}", "{STATEFUL}"]\nboard = "nrf52840dk"\n')
    outcome = tinyedge("run", "--samples", "3", "--arena", arena, "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert document["schema"] == "tinyedge.runs/2"
    runs = document["runs"]
    assert [run["model"] for run in runs] == [PLAIN.stem, STATEFUL.stem]
    assert all(run["verify"] == {"samples": 3, "mismatches": 0, "first_mismatch": None} for run in runs)
    assert all(run["selftest"] == "ok" for run in runs)
    assert len({run["digests"]["elf"] for run in runs}) == 1
    folder = tmp_path / f"build/{PLAIN.stem}+{STATEFUL.stem}/nrf52840dk-zig"
    sizes = [
        int((folder / f"model/{path.stem}.h").read_text().partition("_ARENA_BYTES ")[2].split()[0])
        for path in (PLAIN, STATEFUL)
    ]
    wanted = max(sizes) if arena == "shared" else sum(sizes)
    assert runs[0]["memory"]["arena_bytes"] == wanted
    assert_refused(tinyedge("plan", cwd=tmp_path), 2, "no model given")
