"""tinyedge.lock: what it says, and what is refused because it says otherwise."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kits.artifacts_by_hand import measured
from kits.cli import Outcome, assert_refused, within
from kits.models import small_convolution
from tinyedge.artifacts import QuantizedModel, Silence
from tinyedge.artifacts.lock import Lock, LockedBuild, build_drifts, environment_drifts
from tinyedge.errors import CheckError, UsageError
from tinyedge.jobs import lock as module
from tinyedge.jobs.choices import Choices
from tinyedge.paths import models_dir
from tinyedge.report.lock import lock_text, read_lock

ENTRY = LockedBuild(
    source='models/"quoted".tflite',
    model="net",
    board="nrf52840dk",
    compiler="zig 0.17.0",
    runtime="aot",
    optimize="balanced",
    board_digest="b" * 64,
    model_digest="c" * 64,
    project_digest="d" * 64,
    image_digest="e" * 64,
)
LOCK = Lock("0.1.0", "1" * 64, "2" * 64, "3.11.7", "Linux x86_64", {"numpy": "2.4.6"}, (ENTRY,))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tinyedge.lock"
    other = replace(ENTRY, board="rpi_pico", data="data/a.npz", data_digest="f" * 64)
    path.write_text(lock_text(replace(LOCK, builds=(ENTRY, other))))
    assert read_lock(path) == replace(LOCK, builds=(ENTRY, other))
    assert lock_text(read_lock(path)) == path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "version = 2",
        "version = 1",
        lock_text(LOCK).replace("numpy", 'numpy" = 3\n"x'),
        lock_text(LOCK).replace('board = "', 'bord = "'),
        lock_text(LOCK) + "[[build]]\nmodel = 3\n",
    ],
)
def test_what_is_no_lock_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "tinyedge.lock").write_text(text)
    with pytest.raises(UsageError, match=r"tinyedge\.lock` is no lock") as caught:
        read_lock(tmp_path / "tinyedge.lock")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"tinyedge": "0.2.0"}, ["tinyedge"]),
        ({"code": "9" * 64}, ["code of tinyedge"]),
        ({"templates": "9" * 64}, ["firmware templates"]),
        ({"python": "3.12.1"}, ["python"]),
        ({"python": "3.11.9"}, []),
        ({"system": "Darwin arm64"}, []),
        ({"packages": {"numpy": "2.5.0", "new": "1"}}, ["package numpy"]),
        ({"packages": {}}, ["package numpy"]),
    ],
)
def test_what_the_environment_drifted_in_is_named(change: dict[str, object], what: list[str]) -> None:
    assert [each.what for each in environment_drifts(LOCK, replace(LOCK, **change))] == what  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("compiler", "compiler"),
        ("board_digest", "board file"),
        ("recipe_digest", "recipe"),
        ("data_digest", "data"),
        ("model_digest", "model"),
        ("project_digest", "generated project"),
        ("image_digest", "image"),
    ],
)
def test_what_a_firmware_drifted_in_is_named(name: str, what: str) -> None:
    (drift,) = build_drifts(ENTRY, replace(ENTRY, **{name: "9" * 64}))
    assert drift.what == f"{what} of net on nrf52840dk"
    assert str(drift).endswith("here 9999999999999999")
    assert build_drifts(ENTRY, replace(ENTRY, **{name: ""})) == (), "nobody knows it yet"


@pytest.fixture
def choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Choices:
    """Of a model in tmp_path whose build is made by hand: its project follows from the bytes of the model."""
    (tmp_path / "net.tflite").write_bytes(small_convolution())

    def build(choices: Choices, _observer: object) -> object:
        built = measured().built
        model = QuantizedModel.from_file(Path(str(choices.model)))
        project = replace(built.project, digest=model.digest[::-1])
        return replace(built, prepared=replace(built.prepared, model=model), project=project)

    monkeypatch.setattr(module, "build", build)
    monkeypatch.chdir(tmp_path)
    return Choices("net.tflite", "nrf52840", "zig", None, tmp_path / "build")


def test_a_firmware_is_locked_and_built_again(choices: Choices, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no `tinyedge\.lock`"):
        module.build_locked(choices, tmp_path, Silence())
    found, path = module.lock(choices, tmp_path, Silence())
    assert path == tmp_path / "tinyedge.lock"
    assert read_lock(path) == found
    (entry,) = found.builds
    assert (entry.source, entry.model, entry.board) == ("net.tflite", "net", "nrf52840dk")
    assert {"numpy", "ziglang", "jinja2"} <= set(found.packages)
    assert "tensorflow" not in found.packages, "a finished model needs no training"
    module.build_locked(choices, tmp_path, Silence())
    assert module.find_drifts(found, tmp_path, choices, Silence()) == ()
    with pytest.raises(UsageError, match="says nothing of `net` on `rpi_pico`"):
        module.build_locked(replace(choices, board="rpi_pico"), tmp_path, Silence())


def test_another_firmware_is_added_and_the_same_replaced(choices: Choices, tmp_path: Path) -> None:
    module.lock(choices, tmp_path, Silence())
    module.lock(replace(choices, board="rpi_pico"), tmp_path, Silence())
    found, _ = module.lock(choices, tmp_path, Silence())
    assert [each.board for each in found.builds] == ["nrf52840dk", "rpi_pico"]


def test_what_drifted_is_refused_before_anything_is_built(
    choices: Choices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, path = module.lock(choices, tmp_path, Silence())
    monkeypatch.setattr(module, "build", lambda *_: pytest.fail("it was built"))
    (tmp_path / "net.tflite").write_bytes(small_convolution() + bytes(4))
    path.write_text(path.read_text().replace(found.packages["numpy"], "1.0").replace(found.templates, "9" * 64))
    with pytest.raises(CheckError) as caught:
        module.build_locked(choices, tmp_path, Silence())
    assert caught.value.what.startswith("3 things drifted from `tinyedge.lock`")
    for what in ("firmware templates: locked 9999", "package numpy: locked 1.0", "model of net on nrf52840dk: locked"):
        assert what in caught.value.what
    assert "`tinyedge lock`" in caught.value.hint


def test_a_recipe_is_locked_with_its_data(tmp_path: Path) -> None:
    sine = Choices("sine", "nrf52840", "zig", None, tmp_path)
    inputs = module._inputs(sine, tmp_path, Silence())
    assert (inputs.build.source, inputs.build.model) == ("sine", "sine")
    assert inputs.build.recipe_digest
    assert inputs.build.data_digest
    assert inputs.extras == {"", "train", "data"}
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (models_dir() / "sine").iterdir():
        if file.is_file():
            (copy / file.name).write_bytes(file.read_bytes())
    mine = module._inputs(replace(sine, model=str(copy)), tmp_path, Silence()).build
    assert (mine.source, mine.recipe_digest) == ("copy", inputs.build.recipe_digest)
    (copy / "model.py").write_text((copy / "model.py").read_text() + "\n# changed\n")
    assert module._inputs(replace(sine, model=str(copy)), tmp_path, Silence()).build.recipe_digest != mine.recipe_digest


Tell = Callable[..., Outcome]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    return lambda *words: within(tmp_path, monkeypatch, capsys, *words)


def test_outdated_names_what_is_not_as_it_was_locked(choices: Choices, tmp_path: Path, tell: Tell) -> None:
    assert_refused(tell("outdated"), 2, "tinyedge.lock", "`tinyedge lock`")
    (tmp_path / "tinyedge.toml").write_text('board = "nrf52840"\n')
    module.lock(choices, tmp_path, Silence())
    (tmp_path / "below").mkdir()
    assert tell("outdated").stdout == "everything is as it was locked\n"
    (tmp_path / "net.tflite").unlink()
    outcome = tell("outdated", "--json")
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["schema"], document["ok"]) == ("tinyedge.outdated/1", False)
    assert [each["what"] for each in document["drifts"]] == ["net on nrf52840dk"]


def test_several_models_have_no_lock(choices: Choices, tmp_path: Path) -> None:
    for work in (module.lock, module.build_locked):
        with pytest.raises(UsageError, match="one model each"):
            work(replace(choices, others=("net.tflite",)), tmp_path, Silence())


@pytest.mark.slow
def test_the_same_firmware_is_built_from_a_lock(tmp_path: Path, tell: Tell) -> None:
    (tmp_path / "net.tflite").write_bytes(small_convolution())
    (tmp_path / "tinyedge.toml").write_text('model = "net.tflite"\nboard = "nrf52840"\n')
    assert tell("lock").code == 0
    locked = tomllib.loads((tmp_path / "tinyedge.lock").read_text())
    outcome = tell("build", "--locked", "--json")
    assert outcome.code == 0, outcome.stderr
    assert json.loads(outcome.stdout)["digests"]["elf"] == locked["build"][0]["image_digest"]
    assert_refused(tell("build", "--locked", "--optimize", "speed"), 1, "optimized for of net on nrf52840dk")
