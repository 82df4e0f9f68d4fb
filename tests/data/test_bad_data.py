"""Data that is wrong: refused with the file's name, the line where there are lines, and what to do."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pickle
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.data_files import (
    MAKERS,
    make_cifar_python,
    make_csv_folder,
    make_csv_rows,
    make_edge_impulse,
    make_idx,
    make_images,
    make_microfrontend,
    make_npz,
    make_speech_commands,
    make_spoken_digits,
    make_wav,
    needs,
    write_acquisition,
    write_idx,
    write_png,
    write_wav,
)
from tinyedge.data import DataTable, load_data, load_parts
from tinyedge.errors import TinyEdgeError, UsageError

Spoil = Callable[[Path], object]


def write(name: str, text: str | bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())

    return spoil


def cut(name: str, size: int) -> Spoil:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def edit(name: str, old: str, new: str) -> Spoil:
    return lambda folder: (folder / name).write_text((folder / name).read_text().replace(old, new, 1))


def wav(name: str, **how: Any) -> Spoil:
    return lambda folder: write_wav(folder / name, np.full(60, 7), **how)


def wav_header(at: int, form: str, value: int) -> Spoil:
    """A field of the header of a sound."""

    def spoil(folder: Path) -> None:
        data = bytearray((folder / "idle" / "ben_0.wav").read_bytes())
        struct.pack_into(form, data, at, value)
        (folder / "idle" / "ben_0.wav").write_bytes(data)

    return spoil


def float_wav(*values: float) -> bytes:
    """A sound of floats of 64 bits at 100 Hz."""
    samples = struct.pack(f"<{len(values)}d", *values)
    form = struct.pack("<IHHIIHH", 16, 3, 1, 100, 800, 8, 64)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVEfmt "
        + form
        + struct.pack("<4sI", b"data", len(samples))
        + samples
    )


def remove(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return spoil


def keep_one(folder: Path) -> None:
    """One recording of a class."""
    for path in sorted((folder / "idle").iterdir())[1:]:
        path.unlink()


def empty_class(folder: Path) -> None:
    (folder / "nothing").mkdir()


def change_info(**change: Any) -> Spoil:
    """The first file of info.labels."""

    def spoil(folder: Path) -> None:
        document = json.loads((folder / "info.labels").read_text())
        document["files"][0] |= change
        (folder / "info.labels").write_text(json.dumps(document))

    return spoil


def png_bomb(folder: Path) -> None:
    """A header of 100,000 x 100,000 pixels, and a line of them."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (folder / "idle" / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + data)


BAD: dict[str, tuple[Callable[[Path], Any], Spoil, dict[str, Any], str]] = {
    # -- a folder for each class
    "a stray file": (
        make_wav,
        write("idle/notes.txt", "x"),
        {},
        r"idle/notes.txt` is a stray file: the others are .wav",
    ),
    "an image among sounds": (make_wav, write("idle/a.png", "x"), {}, r"a.png` is a stray file: the others are .wav"),
    "a file beside the classes": (
        make_wav,
        wav("lost.wav"),
        {},
        r"lost.wav` is a stray file: it lies beside the folders",
    ),
    "a class without a file": (make_wav, empty_class, {}, r"/nothing` is empty: it is a class without a file"),
    "a class that is not there": (
        make_wav,
        remove("idle"),
        {"classes": ("circle", "idle")},
        r"class `idle` is missing",
    ),
    "a class of one file": (make_wav, keep_one, {"group": ""}, r"class `idle` cannot .* one file is `idle/anna_0.wav`"),
    "a class of one subject": (
        make_wav,
        keep_one,
        {},
        r"class `idle` cannot be in the training and in the test: all its recordings are of `anna`",
    ),
    "one class": (
        make_wav,
        lambda f: [shutil.rmtree(f / n) for n in ("idle", "updown")],
        {},
        r"` has one class, `circle`",
    ),
    "an expression that matches nothing": (
        make_wav,
        wav("idle/ANNA.wav"),
        {},
        r"`group` does not match `idle/ANNA.wav`",
    ),
    "a group that nobody has": (
        make_wav,
        bool,
        {"test": ("anne",)},
        r"`test` names `anne`, and no group, file or folder",
    ),
    "a group on both sides": (
        make_wav,
        bool,
        {"test": ("anna",), "validation": ("an*",)},
        r"`anna` is named for the test",
    ),
    "a test of all": (make_wav, bool, {"test": ("idle", "circle", "updown")}, r"nothing is left for the train"),
    "a test without a class": (
        make_wav,
        bool,
        {"group": "", "test": ("idle/anna_0.wav",)},
        r"`circle` is missing from the te",
    ),
    # -- sounds
    "a wrong rate": (
        make_wav,
        wav("idle/ben_0.wav", rate_hz=50),
        {},
        r"idle/ben_0.wav` has 50 samples a second, not 100",
    ),
    "a wrong rate in the first file": (
        make_wav,
        wav("circle/anna_0.wav", rate_hz=50),
        {},
        r"circle/anna_0.wav` has 50 samples a second, not 100",
    ),
    "another rate than wanted": (make_wav, bool, {"rate_hz": 200}, r"anna_0.wav` has 100 samples a second, not 200"),
    "no rate": (make_wav, wav_header(24, "<I", 0), {}, r"ben_0.wav` is no readable .wav: it has 0 samples a second"),
    "floats beyond float32": (
        make_wav,
        write("idle/ben_0.wav", float_wav(0.5, 1e300)),
        {},
        r"ben_0.wav` is no readable .wav: sample 1 is 1e\+300",
    ),
    "two channels": (make_wav, wav("idle/ben_0.wav", channels=2), {}, r"ben_0.wav` has 2 channels, .* has 1"),
    "two channels in the first file": (
        make_wav,
        wav("circle/anna_0.wav", channels=2),
        {},
        r"anna_0.wav` has 2 channels, .* has 1",
    ),
    "a link to nothing": (
        make_wav,
        lambda f: (f / "idle/new.wav").symlink_to("nowhere.wav"),
        {},
        r"idle/new.wav` is a link to nothing",
    ),
    "a pipe": (make_wav, lambda f: os.mkfifo(f / "idle/new.wav"), {}, r"idle/new.wav` is a pipe or a device, no file"),
    "a cut wav": (
        make_wav,
        cut("idle/ben_0.wav", 90),
        {},
        r"ben_0.wav` is no readable .wav: it ends after 46 of 120 B",
    ),
    "an empty wav": (make_wav, write("idle/ben_0.wav", b""), {}, r"ben_0.wav` is no readable .wav: it is empty"),
    "a wav of nothing": (make_wav, lambda f: write_wav(f / "idle/ben_0.wav", np.zeros(0)), {}, r"has no sample"),
    "text called wav": (make_wav, write("idle/ben_0.wav", "hello"), {}, r"ben_0.wav` is no readable .wav"),
    "a recording shorter than the window": (
        make_wav,
        bool,
        {"window": 61},
        r"anna_0.wav` has 60 samples, the window 61",
    ),
    "a stray take": (
        make_spoken_digits,
        wav("recordings/hello.wav"),
        {},
        r"hello.wav` is a stray file: .*{digit}_{speaker}",
    ),
    "a list that names what is not there": (
        make_speech_commands,
        write("testing_list.txt", "idle/00_nohash_0.wav\n"),
        {},
        r"testing_list.txt`, line 1: there is no `idle/00_nohash_0.wav`",
    ),
    "a file in two lists": (
        make_speech_commands,
        lambda f: shutil.copy(f / "testing_list.txt", f / "validation_list.txt"),
        {},
        r"validation_list.txt`, line 1: .* is in test and in validation",
    ),
    "a list that is no text": (
        make_speech_commands,
        write("testing_list.txt", b"circle/\xff\xfe.wav\n"),
        {},
        r"testing_list.txt` is no text in UTF-8: invalid start byte at byte 7",
    ),
    "silence without noise": (
        make_speech_commands,
        remove("_background_noise_"),
        {"classes": ("idle", "circle", "_silence_")},
        r"`_silence_` is listed, and .* has no `_background_noise_/\*.wav`",
    ),
    # -- CSV
    "a missing column": (
        make_csv_folder,
        edit("idle/ben.0.csv", "ax,ay", "ax,az"),
        {},
        r"ben.0.csv` has no column `ay`",
    ),
    "a missing column in the first file": (
        make_csv_folder,
        edit("circle/anna.0.csv", "ax,ay", "ax,az"),
        {},
        r"circle/anna.0.csv` has no column `ay`",
    ),
    "another rate of rows in the first file": (
        make_csv_folder,
        lambda f: (f / "circle/anna.0.csv").write_text(
            "timestamp,ax,ay\n" + "".join(f"{20 * row},{row},1\n" for row in range(60))
        ),
        {},
        r"circle/anna.0.csv` has 50 rows a second, .* 100",
    ),
    "a number too large for a float": (
        make_csv_folder,
        edit("idle/ben.0.csv", "\n20,13,", "\n20,1e39,"),
        {},
        r"ben.0.csv`, line 4: column `ax` is `1e39`",
    ),
    "a CSV in another code": (
        make_csv_rows,
        lambda f: (f / "table.csv").write_bytes("a;größe;label\n1;2;x\n".encode("latin-1")),
        {},
        r"table.csv` is no text in UTF-8",
    ),
    "an empty archive by itself": (make_npz, write("d.npz", ""), {}, r"d.npz` is empty"),
    "a text cell below empty lines": (
        make_csv_rows,
        write("table.csv", "a,b,label\n\n1,2,x\n\n\n3,q,y\n"),
        {"group": ""},
        r"table.csv`, line 6: column `b` is `q`, not a number",
    ),
    "a text cell below a cell of two lines": (
        make_csv_rows,
        write("table.csv", 'a,b,label\n1,2,"x\ny"\n3,q,y\n'),
        {"group": ""},
        r"table.csv`, line 4: column `b` is `q`, not a number",
    ),
    "an open quote far down": (
        make_csv_rows,
        write("table.csv", 'a,b,label\n1,2,x\n\n3,"4,y\n5,6,x\n'),
        {"group": ""},
        r"table.csv` is no CSV: .* begins at line 4",
    ),
    "quoted decimal commas": (
        make_csv_rows,
        write("table.csv", 'a,b,label\n"1,5",2,x\n'),
        {"group": ""},
        r"table.csv`, line 2: column `a` is `1,5`, not a number",
    ),
    "an empty CSV by itself": (make_csv_rows, write("table.csv", ""), {}, r"table.csv` is empty"),
    "a column that is named and missing": (
        make_csv_folder,
        bool,
        {"columns": ("ax", "aw")},
        r"anna.0.csv` has no column `aw`",
    ),
    "a text cell": (
        make_csv_folder,
        edit("idle/ben.0.csv", "\n20,", "\n20,x"),
        {},
        r"ben.0.csv`, line 4: column `ax` is `x.*`, not",
    ),
    "an empty cell": (
        make_csv_folder,
        edit("idle/ben.0.csv", "\n20,13,", "\n20,,"),
        {},
        r"ben.0.csv`, line 4: column `ax` is empty",
    ),
    "a NaN": (
        make_csv_folder,
        edit("idle/ben.0.csv", "\n20,13,", "\n20,nan,"),
        {},
        r"ben.0.csv`, line 4: column `ax` is `nan`",
    ),
    "a row too short": (
        make_csv_folder,
        edit("idle/ben.0.csv", "\n20,13,", "\n20,"),
        {},
        r"ben.0.csv`, line 4: 2 cells, .* 3",
    ),
    "time that goes backwards": (
        make_csv_folder,
        edit("idle/ben.0.csv", "\n20,", "\n5,"),
        {},
        r"ben.0.csv`, line 4: the time goes backwards",
    ),
    "another rate of rows": (
        make_csv_folder,
        bool,
        {"rate_hz": 50},
        r"anna.0.csv` has 100 rows a second by .*, not 50",
    ),
    "an empty CSV": (make_csv_folder, write("idle/ben.0.csv", ""), {}, r"ben.0.csv` is empty"),
    "a header alone": (
        make_csv_folder,
        write("idle/ben.0.csv", "timestamp,ax,ay\n"),
        {},
        r"it has a header and no row",
    ),
    "bytes called CSV": (
        make_csv_folder,
        write("idle/ben.0.csv", b"\xff\xfe\x00"),
        {},
        r"ben.0.csv` is no text in UTF-8",
    ),
    "two columns of one name": (
        make_csv_folder,
        edit("idle/ben.0.csv", "ax,ay", "ax,ax"),
        {},
        r"ben.0.csv` has two columns `ax`",
    ),
    "an open quote": (
        make_csv_folder,
        edit("idle/ben.0.csv", "\n20,13,", '\n20,"13,'),
        {},
        r"ben.0.csv` is no CSV",
    ),
    "a group column that is not there": (make_csv_rows, bool, {"group": "whom"}, r"has no column `whom`"),
    "a label column that is not there": (make_csv_rows, bool, {"labels": "kind"}, r"has no column `kind`"),
    "a row without a label": (
        make_csv_rows,
        edit("table.csv", ";circle;anna", ";;anna"),
        {},
        r"table.csv`, line 2: column `label` is empty",
    ),
    "labels read as values": (
        make_csv_rows,
        bool,
        {"columns": ("a", "label")},
        r"line 2: column `label` is `circle`, not a number",
    ),
    # -- images
    "mixed sizes": (
        make_images,
        lambda f: write_png(f / "idle/x_0.png", np.zeros((7, 5))),
        {},
        r"x_0.png` is 7 x 5 grey, .* 6 x 5 grey",
    ),
    "another size in the first file": (
        make_images,
        lambda f: write_png(f / "circle/anna_0.png", np.zeros((7, 5))),
        {},
        r"circle/anna_0.png` is 7 x 5 grey, .* 6 x 5 grey",
    ),
    "mixed colours": (
        make_images,
        lambda f: write_png(f / "idle/x_0.png", np.zeros((6, 5, 3))),
        {},
        r"x_0.png` is 6 x 5 in colours",
    ),
    "a cut image": (make_images, cut("idle/ben_0.png", 50), {}, r"ben_0.png` is no readable image"),
    "text called png": (make_images, write("idle/ben_0.png", "hello"), {}, r"ben_0.png` is no readable image"),
    "an image that unpacks to too much": (
        make_images,
        png_bomb,
        {},
        r"bomb.png` (unpacks to 100,000 x 100,000 pixels|is no readable image: .*bomb)",
    ),
    # -- arrays
    "labels as text": (
        make_npz,
        lambda f: np.savez(f / "d.npz", x=np.zeros((2, 3)), labels=["a", "b"]),
        {},
        r"`labels` of .*d.npz` is <U1, not numbers",
    ),
    "a label without a name": (
        make_npz,
        lambda f: np.savez(f / "d.npz", x=np.zeros((2, 3)), labels=[0, 2], class_names=["a", "b"]),
        {},
        r"d.npz` has the label 2 and names 2 classes",
    ),
    "a part that is none": (
        make_npz,
        lambda f: np.savez(f / "d.npz", x=np.zeros((2, 3)), labels=[0, 1], split=["train", "tset"]),
        {},
        r"row 1 of `split` of .*d.npz` is `tset`",
    ),
    "labels of another length": (
        make_npz,
        lambda f: np.savez(f / "d.npz", x=np.zeros((2, 3)), labels=[0, 1, 1]),
        {},
        r"d.npz` differ in their number of samples: `x` 2, `labels` 3",
    ),
    "beyond float32": (
        make_npz,
        lambda folder: np.savez(folder / "d.npz", x=np.array([[1.0], [-1e300]] * 9), labels=[0, 1] * 9),
        {},
        r"`x` of .*d.npz` holds values that are beyond float32, the first in row 1",
    ),
    "not finite": (
        make_npz,
        lambda f: np.savez(f / "d.npz", x=np.array([[1.0], [np.inf]]), labels=[0, 1]),
        {},
        r"`x` of .*d.npz` holds values that are not finite, the first in row 1",
    ),
    # -- idx
    "a cut idx": (
        make_idx,
        cut("train-images-idx3-ubyte", 100),
        {},
        r"train-images-idx3-ubyte` is damaged: \[18, 6, 6\] take 648 B, it has 84",
    ),
    "more than the header says": (
        make_idx,
        lambda f: (f / "t10k-labels-idx1-ubyte.gz").write_bytes(
            gzip.compress(bytes((0, 0, 8, 1, 0, 0, 0, 6)) + bytes(1 << 20))
        ),
        {},
        r"t10k-labels-idx1-ubyte.gz` holds more than 14 B, as its header says",
    ),
    "a cut gz": (make_idx, cut("t10k-images-idx3-ubyte.gz", 40), {}, r"t10k-images-idx3-ubyte.gz` is damaged"),
    "no labels": (
        make_idx,
        remove("train-labels-idx1-ubyte"),
        {},
        r"train-images-idx3-ubyte` has no file of labels beside it",
    ),
    "fewer labels": (
        make_idx,
        lambda f: write_idx(f / "train-labels-idx1-ubyte", np.zeros(17, np.uint8)),
        {},
        r"train-labels-idx1-ubyte` has \[17\] labels, .* 18 samples",
    ),
    # -- CIFAR
    "a cut batch": (
        MAKERS["cifar_binary"],
        cut("test_batch.bin", 4000),
        {},
        r"test_batch.bin` is damaged: 4,000 B are no whole",
    ),
    "a batch of other pixels": (
        make_cifar_python,
        lambda f: (f / "test_batch").write_bytes(
            pickle.dumps({b"data": np.zeros((2, 9), np.uint8), b"labels": [0, 1]}, 2)
        ),
        {},
        r"test_batch` holds no `data` of uint8 \[N, 3,072\]",
    ),
    # -- Edge Impulse
    "a file that is not there": (
        make_edge_impulse,
        change_info(path="training/no.json"),
        {},
        r"info.labels`, file 1: there is no `training/no.json`",
    ),
    "a path out of the folder": (
        make_edge_impulse,
        change_info(path="../secret.json"),
        {},
        r"file 1: `../secret.json` leads out of the folder",
    ),
    "boxes": (make_edge_impulse, change_info(boundingBoxes=[{"label": "x"}]), {}, r"file 1 has boxes"),
    "a category that is none": (
        make_edge_impulse,
        change_info(category="trianing"),
        {},
        r"file 1 has the category `trianing`",
    ),
    "another version": (
        make_edge_impulse,
        edit("info.labels", '"version": 1', '"version": 2'),
        {},
        r"info.labels` is no list of files of version 1",
    ),
    "no metadata": (
        make_edge_impulse,
        change_info(metadata={}),
        {},
        r"circle.anna0.json` has no `who` in its metadata",
    ),
    "rows that are not there": (
        make_edge_impulse,
        change_info(label={"type": "multi-label", "labels": [{"startIndex": 0, "endIndex": 60, "label": "idle"}]}),
        {},
        r"circle.anna0.json` has labels from 0 to 60, and 60 rows",
    ),
    "a row of two numbers": (
        make_edge_impulse,
        edit("training/circle.anna0.json", "[1.0, 1.0, 1.0]", "[1.0, 1.0]"),
        {},
        r"circle.anna0.json` .* row 0 of `values` has 2 numbers for 3 sensors",
    ),
    "text among the values": (
        make_edge_impulse,
        edit("training/circle.anna0.json", "[1.0, 1.0, 1.0]", '[1.0, "x", 1.0]'),
        {},
        r"circle.anna0.json` .* row 0 of `values` holds .*x.*, not a number",
    ),
    "another interval": (
        make_edge_impulse,
        lambda f: write_acquisition(f / "training/circle.anna0.json", np.ones((60, 3)), 20),
        {},
        r"has 100 samples a second, not 50|has 50 samples a second, not 100",
    ),
    "a cut sample": (
        make_edge_impulse,
        cut("training/circle.anna0.json", 300),
        {},
        r"circle.anna0.json` is no sample in Edge Impulse's",
    ),
    # -- feature sets
    "a cut map": (
        make_microfrontend,
        cut("idle/training/wakeword_mmap/data.ninja", 100),
        {},
        r"data.ninja` is damaged: it has 100 B",
    ),
    "a map without its ends": (
        make_microfrontend,
        remove("idle/training/wakeword_mmap/ends"),
        {},
        r"wakeword_mmap/ends` is damaged",
    ),
    "a map of objects": (
        make_microfrontend,
        write("idle/training/wakeword_mmap/dtype.ninja", "object"),
        {},
        r"dtype.ninja` says `object`, no type of numbers",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refused_with_the_files_name(name: str, tmp_path: Path) -> None:
    maker, spoil, change, words = BAD[name]
    for package in needs(maker.__name__):
        pytest.importorskip(package, reason=f"{package} is missing: the extra `data` brings it")
    made = maker(tmp_path)
    spoil(tmp_path)
    with pytest.raises(UsageError, match=words) as caught:
        load_parts(DataTable(**{**vars(made.table), **change}))
    assert caught.value.exit_code == 2


# -- archives that unpack to too much ----------------------------------------------------------------------------------


def test_a_gz_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bytes((0, 0, 8, 1)) + struct.pack(">I", 1 << 20) + bytes(1 << 20)
    (tmp_path / "labels-idx1-ubyte.gz").write_bytes(gzip.compress(raw))
    monkeypatch.setattr("tinyedge.data.gz.MOST_BYTES", 1 << 16)
    with pytest.raises(UsageError, match=r"labels-idx1-ubyte.gz` holds more than 65,536 B, which is the most"):
        load_data(tmp_path / "labels-idx1-ubyte.gz")


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("wav", "tinyedge.data.sounds.MOST_BYTES"),
        ("images", "tinyedge.data.images.MOST_BYTES"),
        ("csv_rows", "tinyedge.data.csv_file.MOST_BYTES"),
        ("cifar_binary", "tinyedge.data.cifar_binary.MOST_BYTES"),
        ("microfrontend", "tinyedge.data.microfrontend.MOST_BYTES"),
        ("edge_impulse", "tinyedge.data.acquisition.MOST_BYTES"),
        ("npz", "tinyedge.data.npz.MOST_BYTES"),
        ("wav", "tinyedge.data.windows.MOST_SAMPLE_BYTES"),
        ("wav", "tinyedge.data.files.MOST_FILES"),
    ],
)
def test_too_much_is_refused(name: str, limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in needs(name):
        pytest.importorskip(package, reason=f"{package} is missing: the extra `data` brings it")
    made = MAKERS[name](tmp_path)
    monkeypatch.setattr(limit, 20)
    with pytest.raises(UsageError, match=r"more than 20|at most 20 B|is damaged: it has [0-9,]+ B"):
        load_parts(made.table)


# -- pickles -----------------------------------------------------------------------------------------------------------


class Bomb:
    """Runs when it is loaded."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('a pickle was loaded')",)


class Innocent:
    """A class of one's own, which would be imported."""


def nested() -> object:
    """A list that unfolds to ten to the seventh of lists."""
    inner: list[object] = []
    for _ in range(7):
        inner = [inner] * 10
    return inner


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickle.dumps({b"data": Bomb()}, 2), "it would run `.*exec`"),
        (pickle.dumps({b"data": np.array([Bomb()], dtype=object), b"labels": [0]}, 2), "it would run|an array of"),
        (pickle.dumps(Innocent(), 2), "it would run `.*Innocent`"),
        (b"cos\nsystem\n(S'true'\ntR.", "it would run `os.system`"),
        (b"\x80\x02]q\x00h\x00a.", "without end"),
        (pickle.dumps(nested(), 2), "without end"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": {1, 2}}, 2), "it would run `.*set`|a set"),
        (b"\x80\x02cnumpy\ndtype\nq\x00X\x02\x00\x00\x00O8q\x01K\x00K\x01\x87q\x02Rq\x03.", "a _Dtype"),
        (b"\x80\x02", "damaged"),
    ],
)
def test_a_pickle_of_more_than_arrays_is_not_run(
    content: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyedge.data.plain_pickle._MOST_VALUES", 10_000)
    make_cifar_python(tmp_path)
    (tmp_path / "test_batch").write_bytes(content)
    with pytest.raises(UsageError, match=words) as caught:
        load_data(tmp_path)
    assert "nothing of it was run" in caught.value.what


def test_arrays_of_other_protocols_are_read(tmp_path: Path) -> None:
    for protocol in (0, 2, 4, 5):
        make_cifar_python(tmp_path)
        batch = {"data": np.full((3, 3072), 7, np.uint8), "labels": [0, 1, 2]}
        (tmp_path / "test_batch").write_bytes(pickle.dumps(batch, protocol))
        assert load_data(tmp_path).inputs["image"].shape == (3, 32, 32, 3)


# -- whatever is cut or changed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "image_parts"])
def test_damage_is_told_or_does_no_harm(name: str, tmp_path: Path) -> None:
    """Files that are cut short, and bytes that are turned round: data or an error in words, nothing else."""
    for package in needs(name):
        pytest.importorskip(package, reason=f"{package} is missing: the extra `data` brings it")
    made = MAKERS[name](tmp_path)
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    random = np.random.default_rng(len(name))
    for turn in range(8):
        path = files[int(random.integers(len(files)))]
        whole = path.read_bytes()
        if turn % 2:
            changed = whole[: int(random.integers(len(whole)))]
        else:
            at = int(random.integers(len(whole)))
            changed = whole[:at] + bytes([whole[at] ^ (1 << int(random.integers(8)))]) + whole[at + 1 :]
        path.write_bytes(changed)
        with contextlib.suppress(TinyEdgeError):
            load_parts(made.table)
        path.write_bytes(whole)
