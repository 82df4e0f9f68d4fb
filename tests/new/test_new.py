"""`tinyedge new`: whole projects or nothing, recipes that can be read and say why, and data that cannot be used."""

from __future__ import annotations

import json
import re
import struct
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from tinyedge.artifacts import Silence
from tinyedge.boards import load_board
from tinyedge.cli import execute
from tinyedge.cli.config import Config, load_config
from tinyedge.errors import TinyEdgeError
from tinyedge.graph.ir import Array
from tinyedge.jobs.new import NewChoices, NewProject, new
from tinyedge.new.keyword import wav
from tinyedge.new.look import look_at
from tinyedge.new.registry import templates
from tinyedge.new.sizing import Layer, Size, chain, fit_width, scaled
from tinyedge.table_keys import describe_keys
from tinyedge.train.augment import AUGMENTATIONS
from tinyedge.train.author import load_splits
from tinyedge.train.compress import TECHNIQUES
from tinyedge.train.recipe import RecipeFile, load_recipe

NAMES = sorted(templates())
WITH_EXAMPLES = [name for name in NAMES if templates()[name].example()]


def make(folder: Path, template: str | None = None, **changes: object) -> NewProject:
    return new(NewChoices(folder, template, **changes), Config, Silence())  # type: ignore[arg-type]


def write(folder: Path, files: Mapping[str | PurePosixPath, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_project_can_be_read_and_says_what_is_missing(name: str, tmp_path: Path) -> None:
    project = make(tmp_path / "wand", name)
    recipe = load_recipe(tmp_path / "wand")
    assert recipe.name == "wand"
    assert recipe.summary
    config = load_config(tmp_path / "wand")
    assert (config.model, config.board) == (str(tmp_path / "wand"), "nrf52840dk")
    expected = {"README.md", "tinyedge.toml", "recipe.toml", "model.py", ".gitignore", "data/README.md"}
    written = {path.relative_to(tmp_path / "wand").as_posix() for path in (tmp_path / "wand").rglob("*")}
    assert written >= expected | {".github/workflows/tinyedge.yml"}
    for file, what in project.start.missing:
        for page in ("README.md", "data/README.md"):
            assert f"{file}`: {what}" in (tmp_path / "wand" / page).read_text()
    assert bool(project.start.missing) == (name != "digits")
    assert "group" not in recipe.data  # nobody knows yet how files will be called
    assert recipe.data.get("window", "1 s") in ("1 s", "2 s")
    for path in (tmp_path / "wand").glob("*.py"):
        compile(path.read_text(), str(path), "exec")


def test_every_key_of_a_recipe_stands_in_it_with_what_it_means(tmp_path: Path) -> None:
    make(tmp_path / "wand", "gesture")
    text = (tmp_path / "wand" / "recipe.toml").read_text()
    words = " ".join(text.replace("#", " ").split())
    tables = [key.table for key in describe_keys(RecipeFile) if key.table is not None]
    for kind in (RecipeFile, *tables, *AUGMENTATIONS.values(), *TECHNIQUES.values()):
        for key in describe_keys(kind):
            assert f"{key.name} = " in text or f"[{key.name}]" in text, key.name
            assert key.doc, f"{kind.__name__}.{key.name} has no sentence"
            assert key.doc in words or key.doc.split(";")[0] in words, key.doc
    for key in describe_keys(Config):
        assert key.doc
        settings = (tmp_path / "wand" / "tinyedge.toml").read_text()
        assert f"{key.name} = " in settings or f"[{key.name}]" in settings


def test_keys_that_are_commented_out_can_be_taken_in(tmp_path: Path) -> None:
    """All at once, but for those without a value, and the kinds of features, of which a recipe has one."""
    make(tmp_path / "wand", "blank")
    text = (tmp_path / "wand" / "recipe.toml").read_text()
    whole = re.sub(r"^# \[features\]:.*?(?=^# \[stream\]:)", "", text, flags=re.DOTALL | re.MULTILINE)
    taken = re.sub(r"^# (\[+\w+\]+|\w+ = (?!\.\.\.).*)$", r"\1", whole, flags=re.MULTILINE)
    before, after = tomllib.loads(text), tomllib.loads(taken)
    assert before["fit"].items() <= after["fit"].items()
    assert before["data"].items() <= after["data"].items()
    assert [each["technique"] for each in after["augment"]] == list(AUGMENTATIONS)
    assert [each["technique"] for each in after["compress"]] == list(TECHNIQUES)
    assert after["convert"] == {"representative_samples": 200, "activations": "int8"}


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_made_up_data_is_read_and_recognized_and_said_to_be_made_up(name: str, tmp_path: Path) -> None:
    made = make(tmp_path / "wand", name, with_example=True)
    splits = load_splits(load_recipe(tmp_path / "wand"))
    assert splits.made_up == "drawn by `tinyedge new --with-example-data`; says nothing of real data"
    assert "is made up" in (tmp_path / "wand" / "README.md").read_text()
    assert not made.start.missing
    source = tmp_path / "wand" / str(load_recipe(tmp_path / "wand").data["source"])
    looked = make(tmp_path / "again", data=source)
    assert looked.start.template.name == name
    assert looked.start.proposal.values["task"] == made.start.proposal.values["task"]
    assert sum(array.nbytes for array in [splits.train_inputs]) > 0  # type: ignore[union-attr]
    assert load_splits(load_recipe(tmp_path / "again")).class_names == splits.class_names
    if name == "anomaly":
        assert {int(each) for each in splits.train_targets} == {0}  # type: ignore[arg-type]
        assert {int(each) for each in splits.test_targets} == {0, 1}  # type: ignore[arg-type]


def test_subjects_are_found_in_names_and_stay_together(tmp_path: Path) -> None:
    example = templates()["gesture"].example()
    write(tmp_path / "data", example)
    recipe_folder = tmp_path / "wand"
    project = make(recipe_folder, data=tmp_path / "data")
    assert project.start.found is not None
    assert project.start.found.subjects == 6
    assert "person" in (recipe_folder / "data" / "README.md").read_text() or project.start.found.group
    splits = load_splits(load_recipe(recipe_folder))
    parts = [set(getattr(splits, f"{name}_groups").tolist()) for name in splits.names]
    assert parts == [each for each in parts if all(each is other or not each & other for other in parts)]
    assert set.union(*parts) == {"anna", "ben", "cleo", "dora", "emil", "fred"}


def test_names_without_subjects_give_no_group(tmp_path: Path) -> None:
    example = templates()["gesture"].example()
    numbered = {
        f"{path.parent}/{path.parent}.{at:04}.csv": content for at, (path, content) in enumerate(example.items())
    }
    assert look_at(write(tmp_path / "data", numbered), "data").group == ""


def test_unequal_classes_get_weights_and_long_recordings_windows(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def recording(rows: int) -> bytes:
        lines = ["timestamp,ax,ay,az"]
        lines += [f"{20 * at}," + ",".join(f"{v:.2f}" for v in random.normal(0, 1, 3)) for at in range(rows)]
        return "\n".join(lines).encode()

    files = {f"run/{at}.csv": recording(300 + 100 * at) for at in range(8)}
    files |= {f"walk/{at}.csv": recording(400) for at in range(2)}
    project = make(tmp_path / "watch", data=write(tmp_path / "data", files))  # type: ignore[arg-type]
    values = project.start.proposal.values
    assert (values["data"]["window"], values["data"]["stride"]) == (100, 50)
    assert values["fit"]["class_weights"] == "balanced"
    assert "three times" in (tmp_path / "watch" / "recipe.toml").read_text()


@pytest.mark.parametrize(
    ("shape", "labels", "template", "task"),
    [
        ((28, 28, 1), np.arange(20) % 2, "images", "classification"),
        ((28, 28), np.arange(20) % 2, "images", "classification"),
        ((100, 3), np.arange(20) % 2, "gesture", "classification"),
        ((5,), np.arange(20) % 2, "blank", "classification"),
        ((5,), np.arange(20) / 7, "blank", "regression"),
        ((100, 3), np.arange(40).reshape(20, 2) / 7, "blank", "regression"),
    ],
)
def test_arrays_are_told_apart_by_their_shapes(
    shape: tuple[int, ...], labels: Array, template: str, task: str, tmp_path: Path
) -> None:
    samples = np.random.default_rng(0).random((20, *shape)).astype(np.float32)
    project = make(tmp_path / "net", data=archive(x=samples, labels=labels)(tmp_path / "data"))
    assert project.start.template.name == template
    assert project.start.proposal.values["task"] == task
    assert "classes" not in project.start.proposal.values["data"]  # nobody named them
    assert load_splits(load_recipe(tmp_path / "net")).train_inputs.shape[1:] == shape  # type: ignore[union-attr]


@pytest.mark.parametrize(("rate", "length"), [(5000, 100), (22050, 30000)])
def test_features_are_of_whole_samples_at_any_rate(rate: int, length: int, tmp_path: Path) -> None:
    files = {
        f"{name}/{at}.wav": wav(np.sin(np.arange(length + at) / (3 + at)) / 2, rate) for name in "ab" for at in range(3)
    }
    make(tmp_path / "net", data=write(tmp_path / "data", files))  # type: ignore[arg-type]
    recipe = load_recipe(tmp_path / "net")
    assert recipe.features is not None
    assert recipe.features.rate_hz == rate
    window = recipe.data["window"]
    assert isinstance(window, int)
    assert recipe.features.rows(window) >= 5


def test_a_template_for_other_data_is_refused(tmp_path: Path) -> None:
    data = write(tmp_path / "data", templates()["keyword"].example())
    with pytest.raises(TinyEdgeError, match="holds sounds; the template `images` is for images") as refused:
        make(tmp_path / "net", "images", data=data)
    assert refused.value.hint == "`--from keyword`, or leave `--from` out"
    both = archive(a=np.zeros((9, 4)), b=np.zeros((9, 4)), labels=np.arange(9) % 2)(tmp_path / "both")
    with pytest.raises(TinyEdgeError, match="several inputs: `a`, `b`"):
        make(tmp_path / "net", data=both)


def test_settings_hold_in_every_folder_of_the_project(tmp_path: Path) -> None:
    make(tmp_path / "wand", "gesture")
    inside = load_config(tmp_path / "wand" / "data")
    assert (inside.model, inside.build_dir) == (str(tmp_path / "wand"), tmp_path / "wand" / "build")


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def write_two(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) > 2:
            raise KeyboardInterrupt
        with path.open("wb") as stream:
            return stream.write(content)

    monkeypatch.setattr(Path, "write_bytes", write_two)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "wand", "gesture")
    assert list(tmp_path.iterdir()) == []


def test_the_network_is_sized_to_the_board() -> None:
    steps = [(24, (3, 3), (2, 2)), (64, (3, 3), (1, 1))]
    full = Size.of(chain(28, 28, 1, steps, 10))
    assert (full.macs, full.weights) == (24 * 9 * 196 + 24 * 64 * 9 * 196 + 640, 24 * 9 + 96 + 64 * 216 + 256 + 680)

    def at(width: float):  # type: ignore[no-untyped-def]
        return chain(32, 32, 1, [(scaled(64, width), (3, 3), (2, 2)), (scaled(128, width), (3, 3), (2, 2))], 10)

    widths = [fit_width(at, load_board(name))[0] for name in ("nucleo_h743zi", "nrf52840dk", "bluepill")]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > widths[-1]
    large = [Layer(1, 1, 1 << 12, 1 << 12)]
    assert "more than" in fit_width(lambda _: large, load_board("bluepill"))[1]


def test_nothing_is_written_where_something_is(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for choices in (
        NewChoices(tmp_path / "there", "gesture"),
        NewChoices(tmp_path / "a name", "gesture"),
        NewChoices(tmp_path / "-x", "gesture"),
        NewChoices(tmp_path / ("x" * 41), "gesture"),
        NewChoices(tmp_path / "x", "gestur"),
        NewChoices(tmp_path / "x"),
        NewChoices(tmp_path / "x", "gesture", board="nrf"),
        NewChoices(tmp_path / "x", "digits", with_example=True),
        NewChoices(tmp_path / "x", "gesture", data=tmp_path / "nowhere"),
        NewChoices(tmp_path / "x", "gesture", data=tmp_path, with_example=True),
        NewChoices(tmp_path / "there" / "x", data=tmp_path / "there"),
        NewChoices(tmp_path / "x", "digits", data=tmp_path / "there"),
    ):
        with pytest.raises(TinyEdgeError) as refused:
            new(choices, Config, Silence())
        assert refused.value.exit_code == 2
        assert refused.value.hint
    make(tmp_path / "x", "gesture", dry_run=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["there"]


def test_the_document_names_files_reasons_and_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert execute(["new", "wand", "--from", "gesture", "-b", "rpi_pico", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "tinyedge.new/1"
    assert document["next"] == ["cd wand", "tinyedge train", "tinyedge build", "tinyedge run"]
    assert document["missing"] == ["data/circle/*.csv", "data/idle/*.csv", "data/shake/*.csv"]
    assert sorted(document["files"]) == sorted(
        path.relative_to("wand").as_posix() for path in Path("wand").rglob("*") if path.is_file()
    )
    assert document["board"] == "rpi_pico"
    assert document["reasons"].keys() >= {"data.window", "data.group", "augment.shift.most"}


CSV = b"timestamp,ax,ay,az\n" + b"".join(b"%d,0.1,0.2,9.8\n" % (20 * at) for at in range(60))


def recordings(**changes: bytes) -> dict[str, bytes]:
    files = {
        f"{name}/{at}.csv": CSV.replace(b"0.1", b"%d.%d" % (at, row))
        for row, name in enumerate("ab")
        for at in range(6)
    }
    return {**files, **{name.replace("__", "/").replace("_dot_", "."): content for name, content in changes.items()}}


def archive(**arrays: Array) -> Callable[[Path], Path]:
    def save(folder: Path) -> Path:
        folder.mkdir()
        np.savez(folder / "data.npz", **arrays)  # type: ignore[arg-type]
        return folder / "data.npz"

    return save


def bomb(folder: Path) -> Path:
    """A .npz of a few bytes that says it unpacks to 4 GB."""
    path = archive(x=np.zeros((20, 4), np.float32), labels=np.arange(20) % 2)(folder)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as opened:
        at = opened.start_dir
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFF0000)  # the size in the central directory
    path.write_bytes(data)
    return path


def folder_of(files: Mapping[str, bytes]) -> Callable[[Path], Path]:
    return lambda folder: write(folder, files)  # type: ignore[arg-type]


TONE = np.sin(np.arange(8000) / 5) * 0.5
SOUNDS = {f"{name}/{at}.wav": wav(TONE * (at + 1) / 8, 8000) for name in ("no", "yes") for at in range(6)}
BAD = {
    "shapes that differ": (archive(x=np.zeros((9, 4), np.float32), labels=np.arange(8)), "number of samples"),
    "one class": (folder_of({k: v for k, v in recordings().items() if k.startswith("a/")}), "one class, `a`"),
    "labels as text": (archive(x=np.zeros((9, 4), np.float32), labels=np.array(["a", "b", "c"] * 3)), "not numbers"),
    "no labels": (archive(x=np.zeros((9, 4), np.float32)), "nothing that says what they are"),
    "a stray file": (folder_of(recordings(a__notes_dot_pdf=b"%PDF-1.7 ...")), "notes.pdf"),
    "a rate that differs": (folder_of({**SOUNDS, "no/9.wav": wav(TONE, 16000)}), "no/9.wav"),
    "a column that is missing": (
        folder_of(recordings(b__0_dot_csv=CSV.replace(b",az", b"").replace(b",9.8", b""))),
        "b/0.csv",
    ),
    "a cell of text": (folder_of(recordings(b__0_dot_csv=CSV.replace(b"60,0.1", b"60,high"))), "b/0.csv"),
    "a value that is none": (folder_of(recordings(b__0_dot_csv=CSV.replace(b"60,0.1", b"60,nan"))), "b/0.csv"),
    "a sound cut short": (folder_of({**SOUNDS, "no/9.wav": wav(TONE, 8000)[:30]}), "no/9.wav"),
    "an image that is none": (
        folder_of({"a/1.png": b"\x89PNG\r\n\x1a\n" + bytes(40), "b/1.png": b"", "b/2.png": b""}),
        "1.png",
    ),
    "one file of rows": (
        folder_of({"s.csv": b"u,v,label\n" + b"".join(b"%d.5,2.0,%c\n" % (at, b"ab"[at % 2]) for at in range(40))}),
        "are of `s.csv`: none could be kept",
    ),
    "an empty folder": (lambda folder: folder.mkdir() or folder, "no data"),  # type: ignore[func-returns-value]
    "an archive bomb": (bomb, "B are read"),
}
RECIPE = 'summary = "x"\n[data]\nsource = {source}\n[fit]\nepochs = 1\n'


@pytest.mark.parametrize("what", BAD)
def test_bad_data_is_refused_by_new_and_by_train(what: str, tmp_path: Path) -> None:
    prepare, words = BAD[what]
    data = prepare(tmp_path / "data")
    with pytest.raises(TinyEdgeError, match=words) as refused:
        make(tmp_path / "project", data=data)
    assert refused.value.exit_code in (1, 2)
    assert not (tmp_path / "project").exists()
    write(tmp_path / "recipe", {"recipe.toml": RECIPE.format(source=json.dumps(str(data))).encode(), "model.py": b""})
    with pytest.raises(TinyEdgeError) as told:
        load_splits(load_recipe(tmp_path / "recipe"))
    assert told.value.exit_code in (1, 2)
