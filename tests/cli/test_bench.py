"""`tinyedge bench` against a flashed board, which runs the image in the emulator behind a terminal, and in trouble."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.board_on_line import Line
from kits.cli import assert_refused, tinyedge

BENCH = ("bench", "small.tflite", "-b", "nrf52840")


def test_a_board_is_measured_as_the_emulator_is(small_folder: Path, board_line: tuple[str, Line]) -> None:
    port, _ = board_line
    outcome = tinyedge(*BENCH, "--port", port, "--samples", "30", "--json", cwd=small_folder)
    assert outcome.code == 0, outcome.stderr
    emulated = tinyedge(*BENCH, "--runtime", "aot", "--samples", "30", "--json", cwd=small_folder)
    board, other = json.loads(outcome.stdout), json.loads(emulated.stdout)
    assert (board["schema"], board["runtimes"]) == ("tinyedge.bench/2", ["aot"])
    (run,), (run_there,) = board["runs"], other["runs"]
    assert run["verify"] == run_there["verify"] == {"samples": 30, "mismatches": 0, "first_mismatch": None}
    assert run["memory"] == run_there["memory"]
    assert run["memory"]["stack_peak_bytes"] > 0
    assert [layer["cycles"] for layer in run["layers"]] == [layer["cycles"] for layer in run_there["layers"]]
    assert (run["cycles"]["kind"], run["cycles"]["value"]) == ("measured", run_there["cycles"]["value"])
    spread = run["latency_percentiles_us"]
    assert (spread["kind"], spread["runs"]) == ("measured", 30)
    assert spread["p50"] <= spread["p95"] <= spread["max"] == run["cycles"]["spread"][1] / 64


def test_what_it_prints(small_folder: Path, board_line: tuple[str, Line]) -> None:
    outcome = tinyedge(*BENCH, "--port", board_line[0], "--samples", "3", cwd=small_folder)
    assert outcome.code == 0, outcome.stderr
    head, figures, layers = outcome.stdout.split("\n\n")
    assert head.splitlines()[0].endswith(f"board at {board_line[0]}")
    assert "3 samples, 0 mismatches" in head
    for name in ("cycles (measured)", "latency (measured)", "latency p95 (measured)", "latency max (measured)"):
        assert f"\n{name} " in figures
    for name in ("arena", "stack peak", "flash", "RAM (linked, with the stack reserved)"):
        assert f"\n{name} " in figures
    assert layers.splitlines()[0].split("  ")[-1].strip() == "aot cycles"
    assert len(layers.splitlines()) > 2


def test_a_pulled_cable_shows_what_was_measured(small_folder: Path, board_line: tuple[str, Line]) -> None:
    port, line = board_line
    line.on_bytes = lambda line: line.cut() if line.received > 1500 else None
    outcome = tinyedge(*BENCH, "--port", port, "--samples", "200", "--json", cwd=small_folder)
    assert_refused(outcome, 4, f"lost the connection to `{port}`", "the device failed after", "of 200 samples")
    (run,) = json.loads(outcome.stdout)["runs"]
    done = run["verify"]["samples"]
    assert 0 < done < 200
    assert run["notes"] == [f"partial: the device failed after {done:,} of 200 samples"]
    assert run["cycles"]["kind"] == "measured"


@pytest.mark.slow
def test_a_firmware_that_hangs_ends_in_bounded_time(small_folder: Path, board_line: tuple[str, Line]) -> None:
    port, line = board_line

    def hang(line: Line) -> None:
        line.silent = line.received > 1500

    line.on_bytes = hang
    outcome = tinyedge(*BENCH, "--port", port, "--samples", "200", cwd=small_folder, timeout_s=150)
    assert_refused(outcome, 4, "the firmware did not answer `", "of 200 samples")
    assert "note: aot: partial: the device failed after" in outcome.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "/dev/ttyX", "--emulator", "qemu"), "`--port` is a board, `--emulator` is none"),
        (("--port", "/dev/ttyX", "--runtime", "aot,tflm"), "a board runs one runtime, not `aot,tflm`"),
    ],
)
def test_what_no_board_can_do(small_folder: Path, options: tuple[str, ...], words: str) -> None:
    assert_refused(tinyedge(*BENCH, *options, cwd=small_folder), 2, words)


def test_no_port(small_folder: Path) -> None:
    assert_refused(tinyedge(*BENCH, "--port", "auto", cwd=small_folder), 4, "no serial port has the USB ids of board")
    outcome = tinyedge(*BENCH[:2], "-b", "nano33ble", "--port", "auto", cwd=small_folder)
    assert_refused(outcome, 4, "has no serial port of its own: 3.3 V", "TX1")
