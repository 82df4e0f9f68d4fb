"""The constants of the memory model against the published latencies that they come from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks import calibration
from tinyedge.boards import load_board
from tinyedge.timing.calibration import Observation, fit, leave_one_out

CALIBRATED = {each.published.board: each for each in map(calibration.calibrate, calibration.read_published())}


def test_l4r5_predicts_networks_that_were_left_out() -> None:
    found = CALIBRATED["nucleo_l4r5zi"]
    assert sum(row.network.fitted for row in found.rows) == 18
    assert found.left_out.mean <= 6
    assert found.left_out.largest <= 13
    assert found.pipeline_alone.mean > 20  # what the memory model is for


def test_l4r5_predicts_other_flags_of_the_compiler() -> None:
    predicted = CALIBRATED["nucleo_l4r5zi"].predicted
    assert predicted is not None
    assert predicted.largest <= 11


@pytest.mark.parametrize("name", CALIBRATED)
def test_a_board_file_holds_what_was_fitted(name: str) -> None:
    found, board = CALIBRATED[name], load_board(name)
    stated = board.calibration
    assert stated is not None
    constants = {"code_misses": stated.code_miss_cycles, "data_misses": stated.data_miss_cycles} | (
        {"code_lines": stated.code_line_cycles} if stated.code_line_cycles is not None else {}
    )
    assert {event: cycles for event, cycles in constants.items() if cycles} == {
        event: pytest.approx(cycles, abs=0.005) for event, cycles in found.fit.cycles.items()
    }
    assert board.clock_hz == found.published.clock_hz
    if not stated.gives_range:
        assert stated.error_percent == math.ceil(found.left_out.largest)
        assert stated.mean_error_percent == round(found.left_out.mean)


def test_boards_of_one_chip_have_one_calibration() -> None:
    kits = [
        load_board(name) for name in ("nrf52840dk", "arduino_nano_33_ble", "seeed_xiao_nrf52840", "bbc_microbit_v2")
    ]
    assert len({(board.calibration, board.caches["code"]) for board in kits}) == 1


def observed(code: int, data: int, cycles: float) -> Observation:
    return Observation(
        name="n", measured_cycles=cycles, pipeline_cycles=1000, code_misses=code, data_misses=data, code_lines=code
    )


def test_a_fit_finds_constants_that_explain_everything() -> None:
    seen = [observed(c, d, 1000 + 4.5 * c + 30 * d) for c, d in ((10, 3), (100, 1), (7, 20), (50, 50))]
    assert fit(seen, ["code_misses", "data_misses"]).cycles == {"code_misses": 4.5, "data_misses": 30.0}
    assert np.allclose(leave_one_out(seen, ["code_misses", "data_misses"]), 0, atol=1e-6)


def test_no_constant_is_below_0() -> None:
    seen = [observed(c, d, 1000 - 2 * c + 30 * d) for c, d in ((10, 3), (100, 1), (7, 20))]
    cycles = fit(seen, ["code_misses", "data_misses"]).cycles
    assert cycles["code_misses"] == 0
    assert cycles["data_misses"] > 0


def test_the_report_names_every_network() -> None:
    text = calibration.render(list(CALIBRATED.values()))
    assert all(row.network.name in text for found in CALIBRATED.values() for row in found.rows)
    assert max(map(len, text.splitlines())) <= 110
