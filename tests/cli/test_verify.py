"""`tinyedge verify` against a board that runs the image in the emulator, behind a terminal: well, and in trouble."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.board_on_line import EmulatedFirmware, Line, on_socket
from kits.cli import assert_refused, program, tinyedge

VERIFY = ("verify", "small.tflite", "-b", "nrf52840")


def verify(folder: Path, port: str, *more: str | Path) -> dict[str, Any]:
    outcome = tinyedge(*VERIFY, "--port", port, "--json", *more, cwd=folder)
    assert outcome.code == 0, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    return document


def test_a_board_is_measured_as_the_emulator_is(
    small_folder: Path, board_line: tuple[str, Line], tmp_path: Path
) -> None:
    files = [tmp_path / "board.npy", tmp_path / "emulator.npy"]
    board = verify(small_folder, board_line[0], "--save-outputs", files[0])
    outcome = tinyedge("run", *VERIFY[1:], "--json", "--save-outputs", files[1], cwd=small_folder)
    emulated = json.loads(outcome.stdout)
    assert board["verify"] == emulated["verify"] == {"samples": 20, "mismatches": 0, "first_mismatch": None}
    assert np.array_equal(*(np.load(file) for file in files))
    for same in ("memory", "digests", "model", "board", "compiler", "optimize"):
        assert board[same] == emulated[same], same
    assert [layer["cycles"] for layer in board["layers"]] == [layer["cycles"] for layer in emulated["layers"]]
    assert (board["cycles"]["kind"], emulated["cycles"]["kind"]) == ("measured", "modelled")
    assert board["cycles"]["value"] == emulated["cycles"]["value"]
    assert board["cycles"]["error_percent"] is None
    assert board["instructions"]["value"] is None
    assert board["latency_us"] == {"kind": "measured", "value": board["cycles"]["value"] / 64}
    spread = board["latency_percentiles_us"]
    assert spread["p50"] <= spread["p95"] <= spread["max"] == board["cycles"]["spread"][1] / 64
    assert "latency_percentiles_us" not in emulated
    assert board["emulator"] == f"board at {board_line[0]}"


@pytest.mark.slow
def test_a_board_is_judged_on_labelled_data(small_folder: Path, board_line: tuple[str, Line], tmp_path: Path) -> None:
    """The labels are what the emulator answered, one of them changed: the board's accuracy follows."""
    random = np.random.default_rng(4)
    images = random.integers(-128, 128, (8, 8, 8, 1)).astype(np.int8)
    np.savez(tmp_path / "d.npz", x=images)
    outcome = tinyedge(
        "run", *VERIFY[1:], "--data", tmp_path / "d.npz", "--save-outputs", tmp_path / "o.npy", cwd=small_folder
    )
    assert outcome.code == 0, outcome.stderr
    answers = np.load(tmp_path / "o.npy").reshape(8, -1)
    labels = answers.argmax(axis=1)
    labels[3] = (labels[3] + 1) % answers.shape[1]
    np.savez(tmp_path / "d.npz", x=images, labels=labels)
    document = verify(small_folder, board_line[0], "--data", tmp_path / "d.npz")
    assert document["verify"] == {"samples": 8, "mismatches": 0, "first_mismatch": None}
    assert document["accuracy"]["device"] == 7 / 8
    counts = np.array(document["confusion"]["counts"])
    assert (counts.sum(), np.trace(counts)) == (8, 7)


def cut_after(line: Line, received: int) -> None:
    """Pull the cable once that many bytes came from the host."""
    line.on_bytes = lambda line: line.cut() if line.received > received else None


def test_a_pulled_cable_keeps_what_was_measured(
    small_folder: Path, board_line: tuple[str, Line], tmp_path: Path
) -> None:
    port, line = board_line
    cut_after(line, 1500)
    files = {"--save-outputs": tmp_path / "out.npy", "--junit": tmp_path / "run.xml", "--html": tmp_path / "run.html"}
    more = [word for pair in files.items() for word in pair]
    outcome = tinyedge(*VERIFY, "--port", port, "--json", "--samples", "200", *more, cwd=small_folder)
    assert_refused(outcome, 4, f"lost the connection to `{port}`", "the device failed after", "of 200 samples")
    document = json.loads(outcome.stdout)
    done = document["verify"]["samples"]
    assert 0 < done < 200
    assert document["notes"] == [f"partial: the device failed after {done:,} of 200 samples"]
    assert np.load(files["--save-outputs"]).shape[0] == done
    assert "partial" in files["--html"].read_text()
    assert files["--junit"].read_text().startswith("<?xml")


@pytest.mark.slow
def test_a_firmware_that_hangs_ends_in_bounded_time(small_folder: Path, board_line: tuple[str, Line]) -> None:
    """It falls silent while inputs are written: the request is repeated, then given up."""
    port, line = board_line

    def hang(line: Line) -> None:
        line.silent = line.received > 1500

    line.on_bytes = hang
    outcome = tinyedge(*VERIFY, "--port", port, "--samples", "200", cwd=small_folder, timeout_s=150)
    assert_refused(outcome, 4, "the firmware did not answer `", "of 200 samples", "`tinyedge monitor`")
    assert "partial: the device failed after" in outcome.stdout


def test_ctrl_c_in_the_middle(small_folder: Path, board_line: tuple[str, Line]) -> None:
    port, line = board_line
    child: list[subprocess.Popen[str]] = []
    pressed: list[int] = []

    def press(line: Line) -> None:
        if line.received > 1500 and not pressed:
            pressed.append(1)
            child[0].send_signal(2)

    line.on_bytes = press
    with subprocess.Popen(
        program(*VERIFY, "--port", port, "--samples", "100000"), cwd=small_folder, stderr=subprocess.PIPE, text=True
    ) as process:
        child.append(process)
        try:
            _, errors = process.communicate(timeout=120)
        finally:
            process.kill()
    assert (process.returncode, pressed) == (130, [1])
    assert "interrupted" in errors
    assert "Traceback" not in errors


def test_another_image_is_refused(small_folder: Path, tmp_path: Path, board_line: tuple[str, Line]) -> None:
    """Built in a folder of its own: other tests build in the shared one meanwhile."""
    shutil.copy(small_folder / "small.tflite", tmp_path)
    outcome = tinyedge(*VERIFY, "--optimize", "size", "--port", board_line[0], cwd=tmp_path)
    assert_refused(outcome, 1, "the firmware says it is image `")


def test_no_port(small_folder: Path) -> None:
    outcome = tinyedge("verify", "small.tflite", "-b", "arduino_nano_33_ble", cwd=small_folder)
    assert_refused(outcome, 4, "board `arduino_nano_33_ble` has no serial port of its own: 3.3 V", "`--port`")


def test_a_board_behind_a_socket(small_folder: Path, firmware: EmulatedFirmware) -> None:
    with (
        on_socket(firmware) as (url, accept),
        subprocess.Popen(
            program(*VERIFY, "--port", url, "--json", "--samples", "3"),
            cwd=small_folder,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            accept()
            output, _ = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0
    assert json.loads(output)["verify"]["mismatches"] == 0


def test_other_inputs(small_folder: Path, board_line: tuple[str, Line]) -> None:
    document = verify(small_folder, board_line[0], "--inputs", "random:7", "--samples", "2")
    assert document["verify"] == {"samples": 2, "mismatches": 0, "first_mismatch": None}
