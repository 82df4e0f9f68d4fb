"""Raw samples through a firmware in the emulator: features and outputs equal the host's to the last byte."""

from __future__ import annotations

import contextlib
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.signals import random_signals, structured
from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import Built, Measured, Silence
from tinyedge.boards import Isa
from tinyedge.emulate import choose
from tinyedge.emulate.contract import start_target
from tinyedge.errors import DeviceError, UsageError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.features.quantize import FeatureInput
from tinyedge.features.source import feature_source
from tinyedge.graph.ir import DType
from tinyedge.jobs import data as job_data
from tinyedge.jobs import measure as job
from tinyedge.jobs.build import build_each
from tinyedge.jobs.choices import Choices
from tinyedge.measure.session import Session
from tinyedge.wire import CHUNK_BYTES

ROWS = 2
PIECE = CHUNK_BYTES
"""bytes of a signal that a line holds"""


def network(channels: int, scale: float) -> bytes:
    """A relu of two rows of features."""
    builder = TfliteBuilder()
    shape = (1, ROWS, channels)
    source, target = (builder.tensor(shape, scale=scale, zero_point=-128) for _ in range(2))
    builder.operator("relu", [source], [target])
    return builder.build([source], [target])


def build(folder: Path, board: str, sidecar: str, model: bytes) -> Built:
    path = folder / "net.tflite"
    path.write_bytes(model)
    path.with_suffix(".model.toml").write_text(sidecar)
    choices = Choices(str(path), board, "zig", None, folder / "build")
    (built,) = build_each(choices, Silence())
    return built


def measured(built: Built, inputs: str | None = None, samples: int | None = None) -> Measured:
    board = built.prepared.board
    emulator = choose(board, "auto")
    return job.measure(built, Silence(), lambda: start_target(emulator, built.image, board), inputs, samples)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    sidecar = '[features]\nkind = "microfrontend"\nchannels = 10\n'
    return build(tmp_path_factory.mktemp("features"), "nrf52840dk", sidecar, network(10, 0.1))


def test_samples_become_features_on_the_device(built: Built, tmp_path: Path) -> None:
    filled = built.prepared.feature_input
    assert filled is not None
    signals = list(structured(filled.instants).values())[:4]
    np.save(tmp_path / "signals.npy", np.stack(signals))
    run = measured(built, str(tmp_path / "signals.npy")).run
    assert (run.samples, run.mismatches, run.rows, run.selftest) == (4, 0, ROWS, "ok")
    assert run.row_instructions is not None
    assert run.row_instructions.kind == "counted"
    assert 30_000 < run.row_instructions.value < 100_000
    assert any((output != -128).any() for output in run.outputs[0])


def test_a_signal_in_pieces_and_a_whole_input_share_memory_but_not_a_signal(built: Built) -> None:
    """Either begins anew after the other; going on would be from what the other left."""
    filled = built.prepared.feature_input
    assert filled is not None
    sound = structured(filled.instants)["sweep"].astype("<i2").tobytes()
    board = built.prepared.board
    target = start_target(choose(board, "auto"), built.image, board)
    with contextlib.closing(target.console):
        session = Session.with_target(target, 30)
        session.wait_for_image(built.project.digest)
        first = list(session.stream(sound, PIECE))
        session.feed(sound)
        features = session.read_features(filled.rows * filled.features.channels)
        with pytest.raises(DeviceError, match="order"):
            list(session.stream(sound + bytes(PIECE), PIECE, len(sound)))
        assert list(session.stream(sound, PIECE)) == first
        session.feed(sound)
        assert session.read_features(len(features)) == features


def test_features_that_differ_are_found(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = job_data.compute

    def harmed(*arguments: Any) -> Any:
        features = compute(*arguments)
        features.flat[13] ^= 1
        return features

    monkeypatch.setattr(job_data, "compute", harmed)
    run = measured(built, "random:1", 1).run
    assert run.mismatches == 1
    assert run.first_mismatch is not None
    assert (run.first_mismatch.in_features, run.first_mismatch.output_byte) == (True, 13)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 639), np.int16), r"int16 \[2, 639\]; input `of the features .* takes int16 \[N, 640\]"),
        (np.zeros((2, 640), np.int8), r"takes int16 \[N, 640\]"),
        (np.zeros((2, 640, 2), np.int16), r"takes int16 \[N, 640, 1\]"),
        (np.zeros((0, 640), np.int16), "takes int16"),
    ],
)
def test_samples_that_fill_no_input(built: Built, tmp_path: Path, array: np.ndarray, words: str) -> None:
    np.save(tmp_path / "signals.npy", array)
    with pytest.raises(UsageError, match=words):
        measured(built, str(tmp_path / "signals.npy"))


KINDS = ("log_mel", "microfrontend", "mfcc", "mfe")
OWN = {
    "imu": "rate_hz = 100\naxes = 3\nwindow = 32\nstride = 16\nbands_hz = [1, 6, 50]\n"
    'values = ["mean", "std", "rms", "min", "max", "crossings", "mean_difference", "bands"]\n',
    "spectrum": "rate_hz = 1600\nwindow = 128\nstride = 64\nbands = 12\n",
    "image": 'camera = [24, 16]\nsize = [8, 8]\nformat = "rgb565"\ncolors = "rgb"\n',
}
"""tables of small windows: a thousand rows of each go through the line of a board"""
COLUMNS = {"nrf52840dk": 0, "rpi_pico": 1}
"""boards that docs/features.md has instructions of, by the columns of its table"""


def costs(root: Path, kind: str) -> list[int]:
    """Instructions on the two boards, bytes of RAM and of constants, as docs/features.md has them."""
    (row,) = re.findall(
        rf"^\| `{kind}` \|((?: [0-9,]+(?: B)? \|){{4}})$", (root / "docs/features.md").read_text(), re.M
    )
    return [int(cell.strip(" B").replace(",", "")) for cell in row.strip("|").split("|")]


@pytest.mark.parametrize("kind", [*KINDS, *OWN])
def test_bytes_of_the_page(kind: str, root: Path) -> None:
    features = read_features({"kind": kind} | tomllib.loads(OWN.get(kind, "")))
    filled = FeatureInput(features, 1, DType.INT8, features.unit, 0)
    constants = sum(constant.values.nbytes for constant in features.emit("net").constants)
    assert costs(root, kind)[2:] == [feature_source(filled, "net", "", Isa.NATIVE).state_bytes, constants]


@pytest.mark.slow
@pytest.mark.parametrize("board", COLUMNS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_on_boards(kind: str, board: str, tmp_path: Path, root: Path) -> None:
    channels, scale = (10, 0.5) if kind == "mfcc" else (40, 0.1)
    made = build(tmp_path, board, f'[features]\nkind = "{kind}"\n', network(channels, scale))
    filled = made.prepared.feature_input
    assert filled is not None
    signals = [*structured(filled.instants).values(), *random_signals(8, filled.instants, 487)]
    np.save(tmp_path / "signals.npy", np.stack(signals))
    run = measured(made, str(tmp_path / "signals.npy")).run
    assert (run.samples, run.mismatches) == (500, 0)  # a thousand rows
    assert run.row_instructions is not None
    assert run.row_instructions.value == pytest.approx(costs(root, kind)[COLUMNS[board]], rel=0.02)


def any_signals(features: Features, instants: int, number: int) -> np.ndarray:
    """Structured and random signals over all axes. Shape: [number, instants, axes] of the features' samples."""
    count = instants * features.axes
    found = [*structured(count).values()]
    found += random_signals(9, count, number - len(found))
    signals = np.stack(found).reshape(number, instants, features.axes)
    return (signals >> 8).astype(np.uint8) if features.sample_dtype is DType.UINT8 else signals


@pytest.mark.slow
@pytest.mark.parametrize("board", COLUMNS)
@pytest.mark.parametrize("kind", OWN)
def test_kinds_of_several_axes_and_pictures_on_boards(kind: str, board: str, tmp_path: Path, root: Path) -> None:
    sidecar = f'[features]\nkind = "{kind}"\n{OWN[kind]}'
    features = read_features(tomllib.loads(sidecar)["features"])
    made = build(tmp_path, board, sidecar, network(features.channels, features.unit * (1 if kind == "image" else 64)))
    filled = made.prepared.feature_input
    assert filled is not None
    np.save(tmp_path / "signals.npy", any_signals(features, filled.instants, 500))
    run = measured(made, str(tmp_path / "signals.npy")).run
    assert (run.samples, run.mismatches, run.rows) == (500, 0, ROWS)
    assert len(np.unique(run.outputs[0])) > 32
    assert run.row_instructions is not None
    assert run.row_instructions.value == pytest.approx(costs(root, kind)[COLUMNS[board]], rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("board", ["nrf52840dk", "rpi_pico"])
def test_the_preprocessor_of_micro_speech_over_a_thousand_frames(
    board: str, shared_models: Path, tmp_path: Path, root: Path
) -> None:
    model = (shared_models / "audio_preprocessor_int8.tflite").read_bytes()
    made = build(tmp_path, board, "", model)
    loud = next(iter(random_signals(9, 320 * 1000, 1)))
    signal = np.concatenate([*structured(320 * 40).values(), loud])[: 320 * 1001]
    frames = np.stack([signal[start : start + 480] for start in range(0, 320 * 1000, 320)])
    np.save(tmp_path / "frames.npy", frames[:, None])
    run = measured(made, str(tmp_path / "frames.npy")).run
    assert (run.samples, run.mismatches) == (1000, 0)
    few = measured(made, samples=5).run
    assert few.instructions is not None
    (row,) = re.findall(r"^\| tinyedge \| ([0-9,]+) \| ([0-9,]+) \|", (root / "docs/features.md").read_text(), re.M)
    assert few.instructions.value == pytest.approx(int(row[COLUMNS[board]].replace(",", "")), rel=0.02)
