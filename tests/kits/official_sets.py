"""Made-up sets in the layout of the official ones of MLPerf Tiny: the same folders, names and codes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kits.recipe_data import write_wav

SAID = "drawn by a test in the layout of the official set"
WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes")
OTHER_WORDS = ("bed", "cat", "wow", "zero")
PICTURES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def write_speech_commands(folder: Path) -> Path:
    """As speech_commands_v0.02.tar.gz unpacks, less its words: `{word}/{speaker}_nohash_{take}.wav` of 16 kHz, of
    which some are shorter than a second; lists of files for test and validation; a folder of noise with a README."""
    random = np.random.default_rng(0)
    speakers = {"train": ("0a7c2a8d", "1b4c9b89", "3efef882"), "validation": ("a69b9b3e",), "test": ("c518d1b1",)}
    lists: dict[str, list[str]] = {part: [] for part in speakers}
    for word in (*WORDS, *OTHER_WORDS):
        (folder / word).mkdir(parents=True)
        for part, names in speakers.items():
            for name in names:
                file = f"{word}/{name}_nohash_0.wav"
                write_wav(folder / file, random.uniform(-0.5, 0.5, int(random.integers(9_000, 16_001))), 16_000)
                lists[part].append(file)
    (folder / "_background_noise_").mkdir()
    for name in ("doing_the_dishes", "pink_noise", "running_tap", "white_noise"):
        write_wav(folder / "_background_noise_" / f"{name}.wav", random.uniform(-0.1, 0.1, 3 * 16_000 + 500), 16_000)
    for file in ("README.md", "_background_noise_/README.md", "LICENSE"):
        (folder / file).write_text("about the set\n")
    for name, part in (("testing_list.txt", "test"), ("validation_list.txt", "validation")):
        (folder / name).write_text("\n".join(lists[part]) + "\n")
    return _said(folder)


def write_cifar(folder: Path) -> Path:
    """As cifar-10-python.tar.gz unpacks: five batches, a test and `batches.meta`, pickled by Python 2."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        labels = [number % 10 for number in range(20)]
        data = random.integers(0, 256, (20, 3_072), np.uint8)
        entries = {
            b"batch_label": _text(f"of {name}".encode()),
            b"labels": _list([_number(label) for label in labels]),
            b"data": _array(data),
            b"filenames": _list([_text(b"x_s_%06d.png" % number) for number in range(20)]),
        }
        (folder / name).write_bytes(_pickled(entries))
    meta = {
        b"num_cases_per_batch": _number(20),
        b"label_names": _list([_text(name.encode()) for name in PICTURES]),
        b"num_vis": b"M" + struct.pack("<H", 3_072),
    }
    (folder / "batches.meta").write_bytes(_pickled(meta))
    (folder / "readme.html").write_text("<html></html>\n")
    return _said(folder)


def write_wake_words(folder: Path) -> Path:
    """As vw_coco2014_96.tar.gz unpacks: JPEGs of 96x96 with and without a person; a few have no colours."""
    from PIL import Image

    random = np.random.default_rng(0)
    for name in ("person", "non_person"):
        (folder / name).mkdir(parents=True)
        for number in range(12):
            part = "val" if number % 4 == 0 else "train"
            pixels = random.integers(0, 256, (96, 96) if number == 5 else (96, 96, 3), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"COCO_{part}2014_{number:012}.jpg")
    return _said(folder)


def write_toy_car(folder: Path) -> Path:
    """As dev_data_ToyCar.zip unpacks: 16 kHz, `train/normal_id_01_00000000.wav`, `test/anomaly_id_01_00000000.wav`."""
    random = np.random.default_rng(0)
    for part, states in (("train", ("normal",)), ("test", ("normal", "anomaly"))):
        (folder / part).mkdir(parents=True)
        for state in states:
            for car in ("01", "02"):
                for number in range(6 if part == "train" else 2):
                    name = f"{state}_id_{car}_{number:08}.wav"
                    write_wav(folder / part / name, random.uniform(-0.3, 0.3, 16_000), 16_000)
    return _said(folder)


def _said(folder: Path) -> Path:
    (folder / "MADE_UP.md").write_text(f"# {SAID}\n")
    return folder


# -- what Python 2 pickles, by hand ------------------------------------------------------------------------------------


def _pickled(entries: Mapping[bytes, bytes]) -> bytes:
    return b"\x80\x02}(" + b"".join(_text(name) + value for name, value in entries.items()) + b"u."


def _text(value: bytes) -> bytes:
    return b"U" + bytes([len(value)]) + value


def _number(value: int) -> bytes:
    return b"K" + bytes([value])


def _list(values: list[bytes]) -> bytes:
    return b"](" + b"".join(values) + b"e"


def _array(values: npt.NDArray[np.uint8]) -> bytes:
    rows, columns = values.shape
    kind = (
        b"cnumpy\ndtype\n" + _text(b"u1") + b"K\x00K\x01\x87R(K\x03" + _text(b"|") + b"NNN" + 2 * b"J\xff\xff\xff\xff"
    )
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + _text(b"b") + b"\x87R"
    shape = _number(rows) + b"M" + struct.pack("<H", columns) + b"\x86"
    data = b"T" + struct.pack("<i", values.size) + values.tobytes()
    return made + b"(K\x01" + shape + kind + b"K\x00tb" + b"\x89" + data + b"tb"
