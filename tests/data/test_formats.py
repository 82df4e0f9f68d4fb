"""What each format gives: values, classes, subjects, rates; and what changes the digest of a source."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from kits.data_files import (
    CLASSES,
    make_csv_rows,
    make_edge_impulse,
    make_speech_commands,
    make_wav,
    write_acquisition,
    write_idx,
    write_png,
    write_wav,
)
from tinyedge.data import DataTable, load_data, load_parts, load_recordings, source_digest
from tinyedge.data.speech_commands import which_set
from tinyedge.errors import UsageError


def sound(path: Path, **table: object) -> np.ndarray:
    return np.asarray(load_data(path, DataTable(source=path, **table)).inputs["sound"])  # type: ignore[arg-type]


# -- sounds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_pcm_of_every_width(bits: int, tmp_path: Path) -> None:
    top = 1 << (bits - 1)
    write_wav(tmp_path / "s.wav", np.array([0, top // 2, -top, top - 1]), bits=bits)
    np.testing.assert_allclose(sound(tmp_path / "s.wav"), [[0, 0.5, -1, 1 - 1 / top]], rtol=1e-6)


def test_floats_and_extensible_headers(tmp_path: Path) -> None:
    values = np.array([0, 0.25, -1], "<f4").tobytes()
    form = (
        struct.pack("<HHIIHH", 0xFFFE, 1, 8000, 32000, 4, 32) + struct.pack("<HHI", 22, 32, 4) + b"\x03\0" + bytes(14)
    )
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"LIST\x01\0\0\0x\0" + b"data" + struct.pack("<I", 12)
    (tmp_path / "s.wav").write_bytes(b"RIFF" + struct.pack("<I", 4 + len(chunks) + 12) + b"WAVE" + chunks + values)
    np.testing.assert_array_equal(sound(tmp_path / "s.wav"), [[0, 0.25, -1]])


def test_compressed_sounds_are_named(tmp_path: Path) -> None:
    write_wav(tmp_path / "s.wav", np.zeros(4))
    data = bytearray((tmp_path / "s.wav").read_bytes())
    data[20:22] = struct.pack("<H", 7)
    (tmp_path / "s.wav").write_bytes(data)
    with pytest.raises(UsageError, match=r"s.wav` is compressed \(mu-law\)"):
        sound(tmp_path / "s.wav")


def test_channels_stay_or_are_mixed(tmp_path: Path) -> None:
    write_wav(tmp_path / "s.wav", np.array([0, 16384, 16384, -16384]), channels=2)
    assert sound(tmp_path / "s.wav").tolist() == [[[0, 0.5], [0.5, -0.5]]]
    assert sound(tmp_path / "s.wav", mono=True).tolist() == [[0.25, 0]]


def test_windows_strides_and_padding(tmp_path: Path) -> None:
    write_wav(tmp_path / "s.wav", 256 * np.arange(10))
    assert (sound(tmp_path / "s.wav", window=4, stride=3) * 128).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert (sound(tmp_path / "s.wav", window="40 ms") * 128).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (sound(tmp_path / "s.wav", window=12, pad=True) * 128).tolist() == [[*range(10), 0, 0]]


def test_speech_commands_by_hash_silence_and_unknown(tmp_path: Path) -> None:
    make_speech_commands(tmp_path)
    for name in ("testing_list.txt", "validation_list.txt"):
        (tmp_path / name).unlink()
    recordings = load_recordings(DataTable(source=tmp_path, classes=("idle", "_silence_", "_unknown_")))
    assert recordings.class_names == ("idle", "_silence_", "_unknown_")
    assert recordings.labels is not None
    assert np.bincount(recordings.labels).tolist() == [10, 9, 10]
    for number, source in enumerate(recordings.sources):
        if "_noise_" not in source:
            assert recordings.part(number) == which_set(source)
    noises = {(source.split("[")[0], part) for source, part in zip(recordings.sources, recordings.parts, strict=True)}
    assert {part for source, part in noises if "_noise_" in source} == {"train", "test", "validation"}
    assert "as many as the largest" in recordings.notes[0]


@pytest.mark.parametrize(
    ("name", "part"),
    [("0a7c2a8d_nohash_0.wav", "train"), ("bed/00176480_nohash_0.wav", "train"), ("00f0204f_nohash_2.wav", "train")],
)
def test_the_hash_of_names_takes_what_stands_before_nohash(name: str, part: str) -> None:
    assert which_set(name) == which_set(name.replace("_nohash_0", "_nohash_7").replace("_nohash_2", "_nohash_9"))
    assert part in ("train", "validation", "test")


def test_the_hash_gives_its_shares() -> None:
    found = [which_set(f"{number:08x}_nohash_0.wav") for number in range(4000)]
    assert abs(found.count("test") / 4000 - 0.1) < 0.02
    assert abs(found.count("validation") / 4000 - 0.1) < 0.02


def test_real_speech(tmp_path: Path) -> None:
    path = Path(os.environ.get("TINYEDGE_SPOKEN_DIGITS", ""))
    if not os.environ.get("TINYEDGE_SPOKEN_DIGITS"):
        pytest.skip("TINYEDGE_SPOKEN_DIGITS names no folder of the free spoken digit set")
    parts = load_parts(DataTable(source=path, window="1 s", pad=True, test=("s1",), validation=("s2",)))
    assert parts.test.rate_hz == 8000
    assert parts.train.class_names == tuple("0123456789")
    assert set(parts.test.groups) == {"s1"}


# -- CSV ---------------------------------------------------------------------------------------------------------------


def test_a_csv_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("1,2,0\n3,4,1\n")
    data = load_data(tmp_path / "d.csv", DataTable(source=tmp_path, labels="2"))
    assert data.inputs["values"].tolist() == [[1, 2], [3, 4]]
    assert (data.labels is not None and data.labels.tolist(), data.class_names) == ([0, 1], ("0", "1"))
    assert load_data(tmp_path / "d.csv").inputs["values"].shape == (2, 3)


def test_fractions_are_targets_and_whole_numbers_classes(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,y\n1,0.5\n2,0.25\n")
    data = load_data(tmp_path / "d.csv")
    assert data.labels is not None
    assert (data.labels.tolist(), data.class_names) == ([0.5, 0.25], ())
    (tmp_path / "d.csv").write_text("a,label\n1,10\n2,9\n3,10\n")
    data = load_data(tmp_path / "d.csv")
    assert data.labels is not None
    assert (data.labels.tolist(), data.class_names) == ([1, 0, 1], ("9", "10"))


def test_an_axis_called_y_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,y,z\n1,2,3\n4,5,6\n")
    assert load_data(tmp_path / "d.csv").axes == ("x", "y", "z")


@pytest.mark.parametrize(
    ("head", "times", "rate_hz"),
    [
        ("timestamp", (0, 20, 40, 60), 50),
        ("time", (0, 0.02, 0.04, 0.06), 50),
        ("time_us", (0, 20_000, 40_000, 60_000), 50),
        (
            "Time",
            ("2026-01-31T12:00:00.00", "2026-01-31T12:00:00.02", "2026-01-31T12:00:00.04", "2026-01-31T12:00:00.06"),
            50,
        ),
    ],
)
def test_time_gives_the_rate_and_is_no_value(
    head: str, times: tuple[object, ...], rate_hz: float, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        rows = "".join(f"{time},{at}\n" for at, time in enumerate(times))
        (tmp_path / name / "1.csv").write_text(f"{head},ax\n{rows}")
    data = load_data(tmp_path)
    assert data.axes == ("ax",)
    assert data.rate_hz == pytest.approx(rate_hz, rel=1e-3)
    assert data.inputs["values"].tolist() == [[[0], [1], [2], [3]]] * 2


def test_missing_rows_are_said(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.csv").write_text("timestamp,ax\n0,1\n10,2\n20,3\n80,4\n")
    assert "`1.csv`, line 5: 6 rows are missing" in load_data(tmp_path).notes


def test_a_file_whose_label_changes_is_several_recordings_of_one_group(tmp_path: Path) -> None:
    for who in range(4):
        (tmp_path / f"{who}.csv").write_text("ax,label\n1,rest\n2,rest\n3,walk\n4,walk\n5,rest\n6,rest\n")
    recordings = load_recordings(DataTable(source=tmp_path))
    assert recordings.count == 12
    assert set(recordings.groups) == {f"{who}.csv" for who in range(4)}
    assert recordings.sources[:3] == ["0.csv:2", "0.csv:4", "0.csv:6"]
    assert recordings.class_names == ("rest", "walk")


def test_semicolons_mean_decimal_commas(tmp_path: Path) -> None:
    made = make_csv_rows(tmp_path)
    assert load_data(made.table.source, made.table).inputs["values"][0].tolist() == [1, 1]


def test_runs_without_subjects_are_said(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("ax,label\n" + "".join(f"{run},{'ab'[run % 2]}\n" * 8 for run in range(8)))
    parts = load_parts(DataTable(source=tmp_path / "d.csv", window=4))
    assert any("names no subjects" in note for note in parts.notes)


# -- images, idx -------------------------------------------------------------------------------------------------------


def test_images_are_scaled_resized_and_made_grey(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow is missing: the extra `data` brings it")
    write_png(tmp_path / "a" / "1.png", np.full((4, 4, 3), 255))
    write_png(tmp_path / "b" / "1.bmp", np.zeros((8, 6, 3)))
    data = load_data(tmp_path, DataTable(source=tmp_path, size=(2, 3), grey=True))
    assert data.inputs["image"].shape == (2, 2, 3, 1)
    assert [float(image.mean()) for image in data.inputs["image"]] == [1.0, 0.0]
    assert data.class_names == ("a", "b")


def test_one_idx_file_by_itself(tmp_path: Path) -> None:
    write_idx(tmp_path / "t10k-images-idx3-ubyte.gz", np.full((3, 2, 2), 51, np.uint8))
    data = load_data(tmp_path / "t10k-images-idx3-ubyte.gz")
    assert data.labels is None
    assert data.inputs["image"].shape == (3, 2, 2, 1)
    assert data.inputs["image"][0, 0, 0, 0] == np.float32(0.2)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", np.array([2, 0, 1], np.uint8))
    data = load_data(tmp_path / "t10k-images-idx3-ubyte.gz")
    assert data.labels is not None
    assert data.labels.tolist() == [2, 0, 1]


# -- Edge Impulse ------------------------------------------------------------------------------------------------------


def test_labels_of_runs_names_and_files_without_one(tmp_path: Path) -> None:
    made = make_edge_impulse(tmp_path)
    document = json.loads((tmp_path / "info.labels").read_text())
    document["files"][0]["label"] = {
        "type": "multi-label",
        "labels": [
            {"startIndex": 0, "endIndex": 29, "label": "idle"},
            {"startIndex": 30, "endIndex": 59, "label": "circle"},
        ],
    }
    document["files"][1]["label"] = {"type": "unlabeled"}
    (tmp_path / "info.labels").write_text(json.dumps(document))
    recordings = load_recordings(made.table)
    assert recordings.count == 30
    assert [recordings.class_of(number) for number in (0, 1)] == ["idle", "circle"]
    assert len(recordings.inputs["values"][0]) == 30
    assert recordings.notes == ("1 files without a label are left out",)
    assert (recordings.rate_hz, recordings.axes) == (100, ("x", "y", "z"))


def test_an_export_without_its_list(tmp_path: Path) -> None:
    make_edge_impulse(tmp_path)
    (tmp_path / "info.labels").unlink()
    recordings = load_recordings(DataTable(source=tmp_path))
    assert recordings.class_names == CLASSES
    assert set(recordings.parts) == {"train", "test"}


def test_a_sensor_of_sound_is_scaled(tmp_path: Path) -> None:
    write_acquisition(tmp_path / "yes.1.json", np.array([[16384.0], [-32768.0]]))
    text = (tmp_path / "yes.1.json").read_text().replace("m/s2", "wav")
    (tmp_path / "yes.1.json").write_text(text.replace("[16384.0], [-32768.0]", "16384, -32768"))
    data = load_data(tmp_path)
    assert data.inputs["values"].tolist() == [[[0.5], [-1]]]


# -- all ---------------------------------------------------------------------------------------------------------------


def test_imbalance_is_said_with_weights(tmp_path: Path) -> None:
    for name, count in (("often", 40), ("rare", 5)):
        for number in range(count):
            write_wav(tmp_path / name / f"{number}.wav", np.full(8, 100 * number + len(name)))
    parts = load_parts(DataTable(source=tmp_path))
    (note,) = [note for note in parts.notes if "unequal" in note]
    assert '`class_weights = "balanced"` in [fit] makes them count the same' in note
    weights = parts.class_weights()
    assert weights[1] > 3 * weights[0]


def test_rows_that_may_be_windows_are_said(tmp_path: Path) -> None:
    arrays = {"x": np.arange(240, dtype=np.float32).reshape(20, 4, 3), "labels": np.arange(20) % 2}
    for groups, said in ({}, True), ({"groups": np.repeat(np.arange(10), 2)}, False):
        np.savez(tmp_path / "d.npz", **arrays, **groups)
        notes = load_parts(DataTable(source=tmp_path / "d.npz")).notes
        assert any("taken for a recording of its own" in note for note in notes) is said


def test_an_empty_folder_names_those_of_its_classes(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("put recordings here")
    (tmp_path / "circle").mkdir()
    (tmp_path / "circle" / ".gitkeep").touch()
    with pytest.raises(UsageError, match="holds no data yet") as caught:
        load_parts(DataTable(source=tmp_path, classes=("circle", "idle")))
    assert f"`{tmp_path / 'circle'}`, `{tmp_path / 'idle'}`" in caught.value.hint


def test_files_in_the_making_and_documents_are_left_out(tmp_path: Path) -> None:
    made = make_wav(tmp_path)
    before = load_recordings(made.table).count
    (tmp_path / "idle" / "new.wav.part").write_bytes(b"half")
    (tmp_path / "README.md").write_text("what this is")
    (tmp_path / "LICENSE").write_text("whose this is")
    assert load_recordings(made.table).count == before


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    made = make_wav(tmp_path / "data")
    wanted = load_recordings(made.table).sources
    (tmp_path / "data" / "idle").rename(tmp_path / "elsewhere")
    (tmp_path / "data" / "idle").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "loop").symlink_to(tmp_path / "elsewhere")
    assert load_recordings(made.table).sources == wanted


def test_pictures_stand_as_they_were_taken(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is missing: the extra `data` brings it")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        picture = image.fromarray(np.zeros((4, 8), np.uint8))
        exif = picture.getexif()
        exif[0x0112] = 6  # held upright
        picture.save(tmp_path / name / "1.jpg", exif=exif)
    assert load_data(tmp_path).inputs["image"].shape == (2, 8, 4, 1)


def test_the_digest_is_of_paths_and_contents_not_of_times(tmp_path: Path) -> None:
    made = make_wav(tmp_path)
    file = tmp_path / "idle" / "anna_0.wav"
    digest = source_digest(tmp_path)
    assert load_parts(made.table).digest == digest
    os.utime(file, (1, 1))
    assert source_digest(tmp_path) == digest
    whole = file.read_bytes()
    seen = {digest}
    file.write_bytes(whole[:-1] + b"\x55")
    seen.add(source_digest(tmp_path))
    file.rename(file.with_name("anna_9.wav"))
    seen.add(source_digest(tmp_path))
    file.with_name("anna_9.wav").unlink()
    seen.add(source_digest(tmp_path))
    assert len(seen) == 4
    assert source_digest(tmp_path / "nothing") == "absent"
