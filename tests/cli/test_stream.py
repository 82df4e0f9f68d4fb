"""`tinyedge stream`: recordings through firmware in the emulator, what was heard, and what is refused."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.board_on_line import EmulatedFirmware, on_terminal
from kits.cli import Outcome, assert_refused, tinyedge, within
from kits.host_kernels import WARNINGS, native_compiler
from kits.listening import SHAKE_CHANNELS, SHAKE_ROWS, dense, write_shake, write_tone, write_wav
from kits.once import made_once
from tinyedge.data import DataTable
from tinyedge.data.wav_file import read_wav
from tinyedge.jobs.recording import read_recording
from tinyedge.jobs.sidecar import read_sidecar


def stream(*arguments: str | Path, cwd: Path) -> dict[str, Any]:
    outcome = tinyedge("stream", *arguments, "--json", cwd=cwd)
    assert outcome.code == 0, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    return document


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A folder of this test with models, what stands beside them, and recordings."""

    def make(made: Path) -> None:
        write_shake(made)
        write_tone(made)

    shutil.copytree(made_once(tmp_path_factory, "listening", make), tmp_path / "models")
    return tmp_path / "models"


@pytest.mark.slow
@pytest.mark.parametrize("board", ["nrf52840", "rpi_pico", "esp32c3", "host"])
def test_motion_through_firmware(folder: Path, board: str) -> None:
    labels = folder / "labels.txt"
    labels.write_text("0.9,1.2,turned\n3.4,3.7,shaken\n6,6.1,still\n")
    document = stream("shake.tflite", "shake.csv", "-b", board, "--labels", labels, "--late", "0.3", cwd=folder)
    assert document["equals_host"]
    assert document["seconds"] == 12
    assert document["features"]["rows"] == 1 + (600 - 16) // 8
    assert document["network"]["runs"] == 1 + (74 - 4) // 2
    assert document["ram_bytes"] < 500
    assert (document["cycles_seconds"] == 12) == (board in ("esp32c3", "host"))
    found = document["detections"]
    assert {each["name"] for each in found} <= {"still", "shaken", "turned"}
    steps = np.diff([each["time_s"] for each in found])
    assert steps.min() >= 0.6
    judged = document["labels"]
    assert judged["expected"] == 3
    hits = [each for each in found if each["is_right"]]
    assert len(hits) + judged["false_accepts"] == len(found)
    assert judged["false_rejects"] == len(judged["missed"])
    assert judged["false_accepts_per_hour"] == pytest.approx(judged["false_accepts"] * 300)
    if board != "host":
        assert 0 < document["network"]["instructions_per_second"] < document["features"]["instructions_per_second"]
        assert 0 < document["core_share"] < 0.1


@pytest.mark.slow
def test_the_cost_of_listening_is_that_of_rows_and_inferences(folder: Path) -> None:
    """What a second takes is what `run` counts of one row and of one inference, times how many there are."""
    heard = stream("shake.tflite", "shake.csv", "-b", "nrf52840", cwd=folder)
    outcome = tinyedge("run", "shake.tflite", "-b", "nrf52840", "--samples", "3", "--json", cwd=folder)
    document = json.loads(outcome.stdout)
    one = document["instructions"]["value"]
    assert heard["network"]["instructions_per_second"] == pytest.approx(one * 36 / 12, rel=0.5)
    assert heard["network"]["instructions_per_second"] > one * 36 / 12


@pytest.mark.slow
def test_sound_through_firmware(folder: Path) -> None:
    document = stream("tone.tflite", "tone.wav", "-b", "nrf52840", cwd=folder)
    assert document["equals_host"]
    assert document["features"]["rows"] == 1 + (12_000 - 200) // 120
    assert document["labels"] is None


@pytest.mark.slow
def test_a_wake_word_with_state_hears_a_wav(shared_models: Path, tmp_path: Path) -> None:
    shutil.copy(shared_models / "okay_nabu_v2.tflite", tmp_path / "nabu.tflite")
    (tmp_path / "model.toml").write_text(
        'classes = ["okay_nabu"]\n[features]\nkind = "microfrontend"\n[stream]\naverage = 5\nthreshold = 0.97\n'
    )
    time = np.arange(24_000) / 16_000
    sound = 4000 * np.sin(2 * np.pi * (300 + 500 * time) * time) * (np.sin(20 * time) > 0)
    write_wav(tmp_path / "a.wav", np.rint(sound).astype(np.int16), 16_000)
    document = stream("nabu.tflite", "a.wav", "-b", "nrf52840", cwd=tmp_path)
    assert document["equals_host"]
    assert document["features"]["rows"] == 1 + (24_000 - 480) // 160
    assert document["network"]["runs"] == document["features"]["rows"] // 3
    assert document["stream"]["run_rows"] == 3


MICRO_SPEECH = """
classes = ["silence", "unknown", "yes", "no"]
[features]
kind = "log_mel"
quantize = "micro_speech"
[stream]
stride_ms = 100
threshold = 0.7
classes = ["unknown", "yes", "no"]
"""


@pytest.mark.slow
def test_a_public_keyword_model_hears_real_speech(shared_models: Path, tmp_path: Path) -> None:
    """TensorFlow's micro_speech, which knows two words: digits of four people are words that it does not know."""
    spoken = shared_models.parent / "data" / "free-spoken-digits" / "recordings"
    if not spoken.is_dir():
        pytest.skip("no ../shared/data beside the checkout: put the Free Spoken Digit Dataset there")
    shutil.copy(shared_models / "micro_speech_quantized.tflite", tmp_path / "words.tflite")
    (tmp_path / "model.toml").write_text(MICRO_SPEECH)
    lot = np.random.default_rng(1)
    parts, labels, count = [lot.normal(0, 20, 16_000)], [], 16_000
    for name in ("3_s1_0", "7_s2_0", "1_s3_0", "6_s4_0"):
        sound = read_wav(spoken / f"{name}.wav", DataTable(source=spoken, rate_hz=8000)).values * 32_768
        word = np.interp(np.arange(2 * len(sound)) / 2, np.arange(len(sound)), sound)
        labels.append(f"{count / 16_000},{(count + len(word)) / 16_000},unknown\n")
        parts += [word, lot.normal(0, 20, 24_000)]
        count += len(word) + 24_000
    write_wav(tmp_path / "words.wav", np.rint(np.concatenate(parts)).astype(np.int16), 16_000)
    (tmp_path / "words.txt").write_text("".join(labels))
    document = stream("words.tflite", "words.wav", "-b", "nrf52840", "--labels", "words.txt", cwd=tmp_path)
    assert document["equals_host"]
    assert document["features"]["rows"] == 1 + (count - 480) // 320
    assert document["network"]["runs"] == 1 + (document["features"]["rows"] - 49) // 5
    assert [each["name"] for each in document["detections"]] == ["unknown"] * 4
    judged = document["labels"]
    assert (judged["expected"], judged["false_accepts"], judged["false_rejects"]) == (4, 0, 0)
    assert 0 < document["core_share"] < 0.2


@pytest.mark.slow
def test_a_board_hears_what_the_emulator_hears(folder: Path) -> None:
    """A board on a line; one that runs another image is refused."""
    emulated = stream("shake.tflite", "shake.csv", "-b", "nrf52840", cwd=folder)
    elf = folder / "build" / "shake" / "nrf52840dk-zig" / "build" / "firmware.elf"
    with (
        contextlib.closing(EmulatedFirmware(elf, "nrf52840dk")) as firmware,
        on_terminal(firmware) as (port, _),
    ):
        document = stream("shake.tflite", "shake.csv", "-b", "nrf52840", "--port", port, cwd=folder)
        assert document["detections"] == emulated["detections"]
        assert document["equals_host"]
        assert document["cycles_kind"] == "measured"
        (folder / "shake.tflite").write_bytes(dense(SHAKE_ROWS, SHAKE_CHANNELS, 0.004, seed=6))
        other = tinyedge("stream", "shake.tflite", "shake.csv", "-b", "nrf52840", "--port", port, cwd=folder)
        assert_refused(other, 1, "the firmware says it is image", "was built")


PRODUCT = r"""
#include <stdio.h>
#include "shake_stream.h"
static void heard(void *context, const te_stream_result *result) {
  if (result->detected >= 0) {
    printf("%u %d\n", (unsigned)result->instant, (int)result->detected);
  }
  (void)context;
}
int main() {
  static shake_features_sample samples[3 * 1000];
  unsigned count = 0;
  int value;
  while (scanf("%d", &value) == 1) {
    samples[count++] = (shake_features_sample)value;
  }
  shake_listen(heard, 0);
  for (unsigned at = 0; at < count / 3; at += 7) {
    shake_feed(samples + 3 * at, count / 3 - at < 7 ? count / 3 - at : 7);
  }
  return 0;
}
"""


@pytest.mark.slow
def test_an_exported_library_hears_the_same(folder: Path) -> None:
    """In C and C++, without a warning."""
    document = stream("shake.tflite", "shake.csv", "-b", "host", cwd=folder)
    outcome = tinyedge("export", "shake.tflite", "--as", "cmake", "-o", "library", cwd=folder)
    assert outcome.code == 0, outcome.stderr
    sources = sorted((folder / "library" / "src").glob("*.c"))
    for source in sources:
        subprocess.run(
            [*native_compiler(), *WARNINGS, "-Wpedantic", "-c", source, "-o", folder / f"{source.stem}.o"], check=True
        )
    objects = [folder / f"{source.stem}.o" for source in sources]
    features = read_sidecar(folder / "shake.tflite").features
    assert features is not None
    samples, _ = read_recording(folder / "shake.csv", features)
    text = " ".join(map(str, samples.reshape(-1).tolist()))
    for language, program in (("c", "product.c"), ("c++", "product.cpp")):
        (folder / program).write_text(PRODUCT)
        compiler = [*native_compiler(), f"-I{folder / 'library' / 'src'}", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([*compiler, "-x", language, "-c", folder / program, "-o", folder / "main.o"], check=True)
        subprocess.run([*native_compiler(), folder / "main.o", *objects, "-o", folder / "product"], check=True)
        printed = subprocess.run([folder / "product"], input=text, capture_output=True, text=True, check=True).stdout
        found = [tuple(map(int, line.split())) for line in printed.splitlines()]
        names = ["still", "shaken", "turned"]
        assert found == [(round(each["time_s"] * 50), names.index(each["name"])) for each in document["detections"]]


Refused = Callable[..., Outcome]


@pytest.fixture
def refused(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """A call in this process."""

    def call(*arguments: str, board: str = "nrf52840") -> Outcome:
        return within(folder, monkeypatch, capsys, "stream", *arguments, "-b", board)

    return call


def test_a_table_that_does_not_fit(folder: Path, refused: Refused) -> None:
    table = (folder / "shake.model.toml").read_text()
    (folder / "shake.model.toml").write_text(table.replace("stride_ms = 320", "stride_ms = 300"))
    assert_refused(refused("shake.tflite", "shake.csv"), 1, "`stride_ms` of [stream] is 300", "no multiple of 160")


def test_features_that_do_not_fit(folder: Path, refused: Refused) -> None:
    (folder / "shake.tflite").write_bytes(dense(4, 17, 0.004))
    words = ("are rows of 18 values [rows, 18]", "is [1, 4, 17, 1]")
    assert_refused(refused("shake.tflite", "shake.csv"), 1, *words)


def test_a_model_without_features(folder: Path, refused: Refused) -> None:
    (folder / "shake.model.toml").unlink()
    assert_refused(refused("shake.tflite", "shake.csv"), 1, "nothing says how the input", "[features]")


def test_a_recording_of_another_rate(folder: Path, refused: Refused) -> None:
    write_wav(folder / "tone.wav", np.zeros(9000, np.int16), 16_000)
    assert_refused(refused("tone.tflite", "tone.wav"), 2, "has 16,000 samples a second, not 8,000")


def test_a_ring_too_large_for_the_board(folder: Path, refused: Refused) -> None:
    table = (folder / "tone.model.toml").read_text()
    (folder / "tone.model.toml").write_text(table.replace("average = 3", "average = 1000"))
    (folder / "tone.tflite").write_bytes(dense(12, 10, 0.7, classes=60))
    outcome = refused("tone.tflite", "tone.wav", board="bluepill")
    assert_refused(outcome, 1, "listening takes", "board `bluepill` has 20,480 B", "a window of samples 400 B")


def test_a_recording_too_short_for_one_inference(folder: Path, refused: Refused) -> None:
    write_wav(folder / "tone.wav", np.zeros(1000, np.int16), 8000)
    assert_refused(refused("tone.tflite", "tone.wav"), 1, "lasts 0.12 s", "holds 0.19 s")
