"""No recording, no copy of one and no subject is in two parts, for every format: read out of the samples' values."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kits.data_files import CLASSES, MAKERS, Made, needs, recorded, write_png, write_wav
from tinyedge.data import Arrays, DataTable, Parts, load_parts
from tinyedge.data.load import formats
from tinyedge.errors import UsageError

SUBJECT = {each.number: each.subject for each in recorded()}
PART = {each.number: each.part for each in recorded()}
WHOLE = ("idx", "image_parts", "microfrontend", "npy_folder", "speech_commands")
"""those whose format says all parts"""
TEST_ONLY = ("cifar_binary", "cifar_python", "edge_impulse", "edge_impulse_cbor")
"""those whose format says which are for the test"""
GROUPED = [name for name in MAKERS if name not in ("image_parts", "microfrontend", "idx", *TEST_ONLY[:2])]
"""those that know a subject"""


def make(name: str, folder: Path) -> Made:
    for package in needs(name):
        pytest.importorskip(package, reason=f"{package} is missing: the extra `data` brings it")
    return MAKERS[name](folder)


@pytest.fixture(params=MAKERS)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    return make(request.param, tmp_path)


def numbers(made: Made, parts: Parts) -> dict[str, set[int]]:
    return {name: set(made.numbers(arrays)) for name, arrays in parts.named().items()}


def is_apart(sets: dict[str, set[object]]) -> bool:
    return sum(map(len, sets.values())) == len(set().union(*sets.values()))


def test_no_recording_is_in_two_parts(made: Made) -> None:
    parts = load_parts(made.table)
    found = numbers(made, parts)
    assert is_apart(found)  # type: ignore[arg-type]
    assert {"train", "test"} <= set(found)
    for arrays in parts.named().values():
        assert len(arrays.groups) == len(arrays.sources) == arrays.count
        assert arrays.labels is not None
        assert len(arrays.labels) == arrays.count


@pytest.mark.parametrize("name", GROUPED)
def test_no_subject_is_in_two_parts(name: str, tmp_path: Path) -> None:
    made = make(name, tmp_path)
    for seed in range(4):
        table = DataTable(**{**vars(made.table), "seed": seed, "test": 0.25})
        found = numbers(made, load_parts(table))
        assert is_apart({part: {SUBJECT[number] for number in sorted(each)} for part, each in found.items()})


@pytest.mark.parametrize("name", [*WHOLE, *TEST_ONLY])
def test_what_the_format_says_is_followed(name: str, tmp_path: Path) -> None:
    made = make(name, tmp_path)
    for part, found in numbers(made, load_parts(made.table)).items():
        for number in found:
            assert PART[number] == part or (name in TEST_ONLY and part != "test" and PART[number] != "test")


def test_the_classes_are_those_that_were_written(made: Made) -> None:
    parts = load_parts(made.table)
    name_of = {each.number: each.name for each in recorded()}
    for arrays in parts.named().values():
        assert arrays.labels is not None
        for number, label in zip(made.numbers(arrays), arrays.labels.tolist(), strict=True):
            said = arrays.class_names[label] if arrays.class_names else str(label)
            assert said in (name_of[number], str(CLASSES.index(name_of[number])))


def test_windows_are_cut_after_the_split(tmp_path: Path) -> None:
    """Windows that overlap by three quarters: splitting them would put nearly every recording on both sides."""
    made = MAKERS["wav"](tmp_path)
    parts = load_parts(DataTable(**{**vars(made.table), "group": ""}))
    assert parts.train.count == 9 * len(set(parts.train.sources))
    assert is_apart({name: set(arrays.sources) for name, arrays in parts.named().items()})


def test_copies_of_a_file_stay_together(tmp_path: Path) -> None:
    for number in range(40):
        write_wav(tmp_path / "a" / f"{number}.wav", np.full(8, number))
        write_wav(tmp_path / "b" / f"{number}.wav", np.full(8, 100 + number))
        shutil.copy(tmp_path / "a" / f"{number}.wav", tmp_path / "a" / f"copy of {number}.wav")
    parts = load_parts(DataTable(source=tmp_path))
    values = {name: {float(row[0]) for row in arrays.inputs["sound"]} for name, arrays in parts.named().items()}
    assert is_apart(values)  # type: ignore[arg-type]
    assert not any("same in two parts" in note for note in parts.notes)


def test_copies_across_given_parts_are_said(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow is missing: the extra `data` brings it")
    for part, base in (("train", 0), ("test", 50)):
        for name in ("a", "b"):
            for number in range(3):
                image = np.full((4, 4), base + 10 * number + (name == "b"))
                write_png(tmp_path / part / name / f"{number}.png", image)
    write_png(tmp_path / "test" / "a" / "again.png", np.full((4, 4), 10))
    (note,) = load_parts(DataTable(source=tmp_path)).notes
    assert note.startswith("1 recording is the same in two parts, value for value: ")
    assert "`test/a/again.png`" in note
    assert "`train/a/1.png`" in note


def test_one_content_under_two_classes_is_said(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(4):
            write_wav(tmp_path / name / f"{number}.wav", np.full(8, number if number < 1 else 10 * number + len(name)))
    write_wav(tmp_path / "b" / "1.wav", np.full(8, 50))
    notes = load_parts(DataTable(source=tmp_path)).notes
    assert any("the same under two classes" in note for note in notes)


def test_a_subject_on_both_sides_of_a_given_split_is_refused(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("a", "b"):
            for who in ("anna", "ben" if part == "train" else "carla"):
                write_wav(tmp_path / part / name / f"{who}.wav", np.full(8, hash_free(part, name, who)))
    with pytest.raises(UsageError, match="`anna` would be in train and in test"):
        load_parts(DataTable(source=tmp_path, group=r"/([a-z]+)\.wav"))


def hash_free(*words: str) -> int:
    return sum(map(ord, "".join(words))) % 1000


def test_parts_that_share_a_group_cannot_be_made() -> None:
    def arrays(group: str, source: str) -> Arrays:
        return Arrays({"x": np.zeros((1, 2), np.float32)}, sources=(source,), groups=(group,))

    for other in (arrays("anna", "b.wav"), arrays("ben", "a.wav")):
        with pytest.raises(ValueError, match="is in train and in test"):
            Parts(arrays("anna", "a.wav"), None, other, "digest")


def test_every_format_has_a_set() -> None:
    """A format without a leak test would be one that nobody looked at."""
    covered = {
        "a .npz": "npz",
        "a folder of .npy": "npy_folder",
        "a folder of images": "images",
        "a folder of .wav": "wav",
        "a folder of .csv": "csv_folder",
        "a .csv": "csv_rows",
        "idx files": "idx",
        "CIFAR's binary batches": "cifar_binary",
        "CIFAR's Python batches": "cifar_python",
        "Speech Commands": "speech_commands",
        "Edge Impulse's export": "edge_impulse",
        "feature sets of the TFLM microfrontend": "microfrontend",
        "spoken digits": "spoken_digits",
    }
    assert {each.title for each in formats()} == {*covered, "a .npy"}, "a .npy has one array, and no classes"
    assert set(covered.values()) <= set(MAKERS)
