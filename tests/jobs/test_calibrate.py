"""A board's memory found by measuring: on an emulated board whose memory is invented, over a pseudo-terminal."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from kits.cli import tinyedge
from kits.mlperf_client import pseudo_terminal
from tinyedge.artifacts import Image, SizeTable
from tinyedge.boards import load_board
from tinyedge.chip import Calibration
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.errors import UsageError
from tinyedge.jobs.calibration_file import read_calibration

BOARD = load_board("nucleo_f446re")
INVENTED = Calibration(
    code_miss_cycles=7.25, data_miss_cycles=12.5, error_percent=1, conditions="invented", source="this test"
)


@pytest.mark.slow
def test_an_invented_memory_is_found(shared_models: Path, tmp_path: Path) -> None:
    models = [shared_models / f"{name}.tflite" for name in ("ad01_int8", "kws_ref_model")]
    common = (*models, "-b", BOARD.name, "--optimize", "speed")
    assert tinyedge("build", *common, cwd=tmp_path).code == 0
    elf = tmp_path / "build" / "ad01_int8+kws_ref_model" / f"{BOARD.name}-zig" / "build" / "firmware.elf"
    image = Image(elf, None, None, None, SizeTable(0, 0, 0, 0, (), ()), "zig", "", "")
    invented = dataclasses.replace(BOARD, calibration=INVENTED)
    with UnicornEmulator(invented).start(image, invented) as console, pseudo_terminal(console) as port:
        outcome = tinyedge("calibrate", *common, "--port", port, "--samples", "1", "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    found = json.loads(outcome.stdout)
    assert found["calibration"]["code_miss_cycles"] == pytest.approx(INVENTED.code_miss_cycles, rel=0.03)
    assert found["calibration"]["data_miss_cycles"] == pytest.approx(INVENTED.data_miss_cycles, rel=0.03)
    assert found["calibration"]["error_percent"] <= 3
    assert [network["name"] for network in found["networks"]] == ["ad01_int8", "kws_ref_model"]
    ran = tinyedge("run", models[0], "-b", BOARD.name, "--calibration", found["file"], "--samples", "1", "--json",
                   cwd=tmp_path)  # fmt: skip
    assert ran.code == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["memory_model"]["kind"] == "calibrated"
    assert document["latency_us"]["error_percent"] == found["calibration"]["error_percent"]


def test_one_model_is_too_few(shared_models: Path, tmp_path: Path) -> None:
    model = shared_models / "hello_world_int8.tflite"
    outcome = tinyedge("calibrate", model, "-b", BOARD.name, "--port", "/dev/null", cwd=tmp_path)
    assert outcome.code == 2
    assert "2 models or more" in outcome.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "`board` is missing"),
        ('board = "nrf52840dk"\n[calibration]\nerror_percent = 1\nconditions = ""\nsource = ""\n', "is of board"),
        ('board = "nucleo_f446re"\n[calibration]\nconditions = ""\nsource = ""\n', "error_percent"),
        ("board = ", "cannot be read as TOML"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_calibration(path, BOARD)
