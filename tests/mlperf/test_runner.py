"""Firmware that speaks the protocol of MLPerf Tiny's runner: to a client of our own, and to the official one."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from kits.cli import tinyedge
from kits.mlperf_client import Client, pseudo_terminal, read_inference
from tinyedge.artifacts import Image, SizeTable
from tinyedge.boards import load_board
from tinyedge.emulate.unicorn.host import UnicornConsole, UnicornEmulator
from tinyedge.errors import UsageError
from tinyedge.generate.mlperf import TASKS, find_task
from tinyedge.graph.reader import read_model
from tinyedge.measure.oracle import run_oracle

MODELS = {
    "kws01": "kws_ref_model",
    "vww01": "vww_96_int8",
    "ic01": "pretrainedResnet_quant",
    "ad01": "ad01_int8",
    "strww01": "str_ww_ref_model",
}
BOARD = load_board("nucleo_l4r5zi")
RUNNER = os.environ.get("TINYEDGE_MLPERF_RUNNER", "")


@pytest.fixture(scope="module")
def consoles(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Starts the firmware of a model, built once, for the runner."""
    folder = tmp_path_factory.mktemp("mlperf")
    running: list[UnicornConsole] = []

    def start(task: str) -> UnicornConsole:
        name = MODELS[task]
        elf = folder / "build" / name / f"{BOARD.name}-zig-mlperf" / "build" / "firmware.elf"
        if not elf.exists():
            model = shared_models / f"{name}.tflite"
            outcome = tinyedge("build", model, "-b", BOARD.name, "--protocol", "mlperf", cwd=folder)
            assert outcome.code == 0, outcome.stderr
        image = Image(elf, None, None, None, SizeTable(0, 0, 0, 0, (), ()), "zig", "", "")
        running.append(UnicornEmulator(BOARD).start(image, BOARD))
        return running[-1]

    yield start
    for console in running:
        console.close()


def sample(task: str, seed: int) -> tuple[bytes, npt.NDArray[np.int8]]:
    """(bytes as the runner sends them, the input that they are)"""
    known = next(each for each in TASKS if each.id == task)
    random = np.random.default_rng(seed)
    if known.takes_float:
        values = random.normal(0, 20, known.input_count).astype(np.float32)
        ratio = values / np.float32(AD_INPUT[0])
        whole = np.trunc(ratio + np.copysign(np.float32(0.5), ratio)) + AD_INPUT[1]
        return values.tobytes(), np.clip(whole, -128, 127).astype(np.int8)
    raw = random.integers(0, 256, known.input_count, dtype=np.uint8)
    return raw.tobytes(), (raw - np.uint8(known.subtracted)).view(np.int8)


AD_INPUT = (0.3910152316093445, 89)


def expected(task: str, sent: bytes, data: npt.NDArray[np.int8], models: Path) -> list[float]:
    """What the oracle makes of an input, as the runner wants it."""
    path = models / f"{MODELS[task]}.tflite"
    graph = read_model(path.read_bytes(), path.stem)
    (given,), (result,) = graph.input_tensors(), graph.output_tensors()
    output = run_oracle(path.read_bytes(), [[data.reshape(given.shape)]])[0][0].reshape(-1)
    values = (output.astype(np.float32) - result.zero_point) * np.float32(result.scale)
    if task == "ad01":
        return [float(np.mean((values - np.frombuffer(sent, np.float32)) ** 2))]
    return [float(value) for value in values]


@pytest.mark.parametrize(
    "task", ["ad01", *(pytest.param(task, marks=pytest.mark.slow) for task in MODELS if task != "ad01")]
)
def test_a_session_of_our_own_client(consoles: Any, shared_models: Path, task: str) -> None:
    client = Client(consoles(task))
    assert client.banner[0] == "m-timestamp-mode-performance"
    assert client.banner[-1] == "m-init-done"
    assert client.send("name") == [f"m-name-dut-[{BOARD.name}]"]
    assert client.send("profile")[1] == f"m-model-[{task}]"
    sent, data = sample(task, 1)
    assert client.load(sent) == ["m-load-done"]
    results, one_us = client.infer(2, 1)
    assert results == pytest.approx(expected(task, sent, data, shared_models), abs=6e-4, rel=1e-5)
    again, two_us = client.infer(1, 0)
    assert again == results
    assert one_us == pytest.approx(two_us, rel=0.02)
    assert f"m-results-[{','.join(f'{value:.3f}' for value in results)}]" in client.send("results")


def test_what_is_asked_wrongly_is_answered_and_harms_nothing(consoles: Any) -> None:
    client = Client(consoles("ad01"))
    assert client.send("frobnicate 3") == ["e-[Unknown command: frobnicate 3]"]
    assert client.send("infer 1 0")[0].startswith("e-[Input db has 0 bytes")
    assert client.send("db") == ["e-[Command 'db' requires a subcommand]"]
    assert client.send("db load") == ["e-[Command 'db load' requires the # of bytes]"]
    assert client.send("db load 0") == ["e-[Command 'db load' must be >0 bytes]"]
    assert "exceeds maximum of 2560" in client.send("db load 27649")[0]
    assert client.send("db 00") == []  # nothing was announced
    assert client.send("db load 9") == ["m-[Expecting 9 bytes]"]
    assert client.send("db 123") == ["e-[Insufficent number of hex digits]"]
    assert client.send("db 1g") == ["e-[Invalid hex digit '1g']"]
    assert client.send("db 00a1B2c3d4e5f6") == []
    assert client.send("db 0708ffff") == ["m-load-done"]  # what is left over is dropped
    assert client.send("db print") == ["m-buffer-00-a1-b2-c3-d4-e5-f6-07", "m-buffer-08"]
    assert client.send("infer 0 0") == ["e-[Inference iterations must be >0]"]
    assert client.send("infer -3") == ["e-[Inference iterations must be >0]"]
    assert client.send("x" * 500) == [f"e-[Unknown command: {'x' * 80}]"]
    assert client.send("timestamp")[0].startswith("m-lap-us-")


@pytest.mark.slow
def test_the_official_runner(consoles: Any, shared_models: Path) -> None:
    """Its class of a device: `benchmark/runner` of github.com/mlcommons/tiny, which is not part of the project."""
    folder = Path(RUNNER) if RUNNER else None
    if folder is None or not (folder / "device_under_test.py").is_file():
        pytest.skip("TINYEDGE_MLPERF_RUNNER names no benchmark/runner of github.com/mlcommons/tiny")
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("device_under_test", folder / "device_under_test.py")
        assert spec is not None
        assert spec.loader is not None
        official = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(official)
        for task in ("kws01", "ad01"):
            sent, data = sample(task, 2)
            console = consoles(task)
            Client(console)  # the runner comes when the firmware has long said what it says at its start
            with pseudo_terminal(console) as port, official.DUT(port_device=port, baud_rate=115200) as device:
                assert device.get_name() == BOARD.name
                assert device.get_model() == task
                assert "m-load-done" in device.load(sent)
                results, one_us = read_inference([line for line in device.infer(2, 1) if line != "m-ready"], 2)
            assert results == pytest.approx(expected(task, sent, data, shared_models), abs=6e-4, rel=1e-5)
            assert one_us > 1000
    finally:
        sys.path.remove(str(folder))


def test_a_model_of_others_is_refused(shared_models: Path) -> None:
    path = shared_models / "hello_world_int8.tflite"
    with pytest.raises(UsageError, match="is none of the runner's"):
        find_task(read_model(path.read_bytes(), path.stem))
