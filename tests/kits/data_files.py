"""Small real files of every format of data. Each recording is a number, and its values say which: what a sample came
from is read out of the sample itself, whatever the loader says of it."""

from __future__ import annotations

import gzip
import json
import pickle
import struct
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.data import Arrays, DataTable

CLASSES = ("circle", "idle", "updown")
SUBJECTS = ("anna", "ben", "carla", "dan", "eva")
TAKES = 2
RATE_HZ = 100
LENGTH = 60
"""samples of a recording of time"""


@dataclass(frozen=True)
class Recorded:
    """One recording. number: from 1, its values."""

    number: int
    name: str
    subject: str
    take: int

    @property
    def part(self) -> str:
        """The official part, where a format has one: whole subjects."""
        return {"eva": "test", "dan": "validation"}.get(self.subject, "train")


def recorded() -> list[Recorded]:
    """All of them: every subject makes two takes of every class."""
    every = [(name, subject, take) for name in CLASSES for subject in SUBJECTS for take in range(TAKES)]
    return [Recorded(number, *each) for number, each in enumerate(every, 1)]


@dataclass(frozen=True)
class Made:
    """A data set that was written.

    numbers  the recording of each sample, out of its values
    """

    table: DataTable
    numbers: Callable[[Arrays], list[int]]


def numbers_by(scale: float) -> Callable[[Arrays], list[int]]:
    """The recording of each sample whose values are its number times `1 / scale`."""

    def numbers(arrays: Arrays) -> list[int]:
        (values,) = arrays.inputs.values()
        rows = values.reshape(len(values), -1)
        assert (rows.max(axis=1) - rows.min(axis=1) < 0.5 / scale).all(), "a sample is of several recordings"
        return [round(float(row[0]) * scale) for row in rows]

    return numbers


# -- the writers -----------------------------------------------------------------------------------------------------


def write_wav(path: Path, values: np.ndarray, rate_hz: int = RATE_HZ, bits: int = 16, channels: int = 1) -> None:
    """Whole numbers of `bits` as PCM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.asarray(values, np.int64)
    if bits == 8:
        data = (whole + 128).astype(np.uint8).tobytes()
    else:
        data = b"".join(int(each).to_bytes(bits // 8, "little", signed=True) for each in whole)
    with wave.open(str(path), "wb") as stream:
        stream.setparams((channels, bits // 8, rate_hz, 0, "NONE", ""))
        stream.writeframes(data)


def write_png(path: Path, pixels: np.ndarray) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


def write_idx(path: Path, values: np.ndarray) -> None:
    raw = bytes((0, 0, 8, values.ndim)) + b"".join(struct.pack(">I", size) for size in values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


def write_ragged(folder: Path, arrays: list[np.ndarray]) -> None:
    """Arrays [time, features] as a ragged memory map."""
    shapes = np.array([array.shape for array in arrays], np.int64)
    for inner, lists in ((folder, arrays), (folder / "shapes", list(shapes))):
        ends = np.cumsum([array.size for array in lists])
        _write_flat(inner, np.concatenate([array.ravel() for array in lists]))
        _write_flat(inner / "starts", ends - [array.size for array in lists])
        _write_flat(inner / "ends", ends)
        (inner / "type.ninja").write_text("ragged")
    _write_flat(folder / "shapes" / "shapes", np.full((len(arrays), 1), 2))


def _write_flat(folder: Path, array: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "data.ninja").write_bytes(array.tobytes())
    (folder / "dtype.ninja").write_text(array.dtype.name)
    (folder / "shape.ninja").write_bytes(b"".join(struct.pack("<Q", size) for size in array.shape))
    (folder / "order.ninja").write_text("C")
    (folder / "type.ninja").write_text("numpy")


def write_acquisition(path: Path, values: np.ndarray, interval_ms: float = 1000 / RATE_HZ) -> None:
    """A sample as a data forwarder writes it: JSON, or CBOR by the end of the name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sensors = [{"name": name, "units": "m/s2"} for name in ("x", "y", "z")[: values.shape[1]]]
    payload = {"device_type": "B", "interval_ms": interval_ms, "sensors": sensors, "values": values.tolist()}
    document = {"protected": {"ver": "v1", "alg": "none"}, "signature": "0" * 64, "payload": payload}
    if path.suffix == ".cbor":
        import cbor2

        path.write_bytes(cbor2.dumps(document))
    else:
        path.write_text(json.dumps(document))


# -- the sets --------------------------------------------------------------------------------------------------------


def make_npz(folder: Path) -> Made:
    every = recorded()
    np.savez(
        folder / "d.npz",
        x=np.stack([np.full((4, 3), each.number, np.float32) for each in every]),
        labels=[CLASSES.index(each.name) for each in every],
        class_names=CLASSES,
        groups=[each.subject for each in every],
    )
    return Made(DataTable(source=folder / "d.npz"), numbers_by(1))


def make_npy_folder(folder: Path) -> Made:
    every = recorded()
    np.save(folder / "x.npy", np.stack([np.full((4, 3), each.number, np.float32) for each in every]))
    np.save(folder / "labels.npy", np.array([CLASSES.index(each.name) for each in every]))
    np.save(folder / "groups.npy", np.array([each.subject for each in every]))
    np.save(folder / "split.npy", np.array([each.part for each in every]))
    return Made(DataTable(source=folder), numbers_by(1))


def make_images(folder: Path) -> Made:
    for each in recorded():
        write_png(folder / each.name / f"{each.subject}_{each.take}.png", np.full((6, 5), 3 * each.number))
    return Made(DataTable(source=folder, group=r"/([a-z]+)_"), numbers_by(255 / 3))


def make_image_parts(folder: Path) -> Made:
    for each in recorded():
        part = {"validation": "val"}.get(each.part, each.part)
        write_png(folder / part / each.name / f"{each.number}.png", np.full((6, 5, 3), 3 * each.number))
    return Made(DataTable(source=folder), numbers_by(255 / 3))


def make_wav(folder: Path) -> Made:
    for each in recorded():
        write_wav(folder / each.name / f"{each.subject}_{each.take}.wav", np.full(LENGTH, 64 * each.number))
    return Made(DataTable(source=folder, group=r"([a-z]+)_[0-9]", window=20, stride=5), numbers_by(512))


def make_csv_folder(folder: Path) -> Made:
    for each in recorded():
        rows = "\n".join(f"{10 * at},{each.number},{each.number}" for at in range(LENGTH))
        path = folder / each.name / f"{each.subject}.{each.take}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"timestamp,ax,ay\n{rows}\n")
    return Made(DataTable(source=folder, group=r"/([a-z]+)\.", window="200 ms", stride="50 ms"), numbers_by(1))


def make_csv_rows(folder: Path) -> Made:
    rows = "\n".join(f"{each.number};{each.number},0;{each.name};{each.subject}" for each in recorded())
    (folder / "table.csv").write_text(f"a;b;label;who\n{rows}\n")
    return Made(DataTable(source=folder / "table.csv", group="who"), numbers_by(1))


def make_csv_runs(folder: Path) -> Made:
    ordered = sorted(recorded(), key=lambda each: (each.subject, each.take))
    lines = [f"{each.number}\t{each.name}\t{each.subject}" for each in ordered for _ in range(LENGTH)]
    (folder / "table.tsv").write_text("a\tactivity\twho\n" + "\n".join(lines) + "\n")
    table = DataTable(source=folder / "table.tsv", labels="activity", group="who", window=20, stride=5, rate_hz=50)
    return Made(table, numbers_by(1))


def make_idx(folder: Path) -> Made:
    for start, part, end in (("train", "train", ""), ("t10k", "test", ".gz"), ("validation", "validation", "")):
        chosen = [each for each in recorded() if each.part == part]
        images = np.stack([np.full((6, 6), 3 * each.number, np.uint8) for each in chosen])
        write_idx(folder / f"{start}-images-idx3-ubyte{end}", images)
        labels = np.array([CLASSES.index(each.name) for each in chosen], np.uint8)
        write_idx(folder / f"{start}-labels-idx1-ubyte{end}", labels)
    return Made(DataTable(source=folder), numbers_by(255 / 3))


def make_cifar_binary(folder: Path) -> Made:
    rows = [bytes([CLASSES.index(each.name)]) + bytes([3 * each.number]) * 3072 for each in recorded()]
    parts = [each.part for each in recorded()]
    for name, part in (("data_batch_1.bin", "train"), ("data_batch_2.bin", "validation"), ("test_batch.bin", "test")):
        (folder / name).write_bytes(b"".join(row for row, known in zip(rows, parts, strict=True) if known == part))
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n")
    return Made(DataTable(source=folder), numbers_by(255 / 3))


def make_cifar_python(folder: Path) -> Made:
    for name, wanted in (("data_batch_1", ("train", "validation")), ("test_batch", ("test",))):
        chosen = [each for each in recorded() if each.part in wanted]
        data = np.stack([np.full(3072, 3 * each.number, np.uint8) for each in chosen])
        labels = [CLASSES.index(each.name) for each in chosen]
        (folder / name).write_bytes(
            pickle.dumps({b"data": data, b"labels": labels, b"batch_label": b"one"}, protocol=2)
        )
    meta = {b"label_names": [name.encode() for name in CLASSES]}
    (folder / "batches.meta").write_bytes(pickle.dumps(meta, protocol=2))
    return Made(DataTable(source=folder), numbers_by(255 / 3))


HASHED = {"train": ("00", "01", "02", "07"), "test": ("05", "0b"), "validation": ("0c", "1b")}
"""speakers of Speech Commands by the part that the hash of their names gives"""


def make_speech_commands(folder: Path) -> Made:
    for each in recorded():
        path = folder / each.name / f"{SUBJECTS.index(each.subject):08x}_nohash_{each.take}.wav"
        write_wav(path, np.full(LENGTH, 64 * each.number))
    for at in range(3):
        write_wav(folder / "_background_noise_" / f"noise{at}.wav", np.full(3 * RATE_HZ, 64 * (100 + at)))
    lists = {"testing_list.txt": "test", "validation_list.txt": "validation"}
    for name, part in lists.items():
        lines = [
            f"{each.name}/{SUBJECTS.index(each.subject):08x}_nohash_{each.take}.wav"
            for each in recorded()
            if each.part == part
        ]
        (folder / name).write_text("\n".join(lines) + "\n")
    return Made(DataTable(source=folder, window=20, stride=5), numbers_by(512))


def make_edge_impulse(folder: Path, suffix: str = "json") -> Made:
    files = []
    for each in recorded():
        category = "testing" if each.part == "test" else "training"
        file = f"{category}/{each.name}.{each.subject}{each.take}.{suffix}"
        write_acquisition(folder / file, np.full((LENGTH, 3), float(each.number)))
        label = {"type": "label", "label": each.name}
        files.append({"path": file, "category": category, "label": label, "metadata": {"who": each.subject}})
    (folder / "info.labels").write_text(json.dumps({"version": 1, "files": files}))
    return Made(DataTable(source=folder, group="who", window=20, stride=5), numbers_by(1))


def make_edge_impulse_cbor(folder: Path) -> Made:
    return make_edge_impulse(folder, "cbor")


def make_microfrontend(folder: Path) -> Made:
    words = {"train": "training", "validation": "validation", "test": "testing"}
    for name in CLASSES[:2]:
        for part, word in words.items():
            chosen = [each for each in recorded() if each.part == part and each.name == name]
            arrays = [np.full((LENGTH + each.take, 4), 256 * each.number, np.uint16) for each in chosen]
            write_ragged(folder / name / word / "wakeword_mmap", arrays)
    return Made(DataTable(source=folder, window=20, stride=5), numbers_by(0.1))


def make_spoken_digits(folder: Path) -> Made:
    for each in recorded():
        path = folder / "recordings" / f"{CLASSES.index(each.name)}_{each.subject}_{each.take}.wav"
        write_wav(path, np.full(LENGTH, 64 * each.number))
    return Made(DataTable(source=folder, window=20, stride=5), numbers_by(512))


MAKERS: dict[str, Callable[[Path], Made]] = {
    name.removeprefix("make_"): maker for name, maker in sorted(globals().items()) if name.startswith("make_")
}
"""every format that there is"""


def needs(name: str) -> Iterator[str]:
    """The packages that a set is written with."""
    if "image" in name:
        yield "PIL"
    if "cbor" in name:
        yield "cbor2"
