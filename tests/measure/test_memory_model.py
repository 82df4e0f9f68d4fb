"""What a run says of modelled cycles, by what is known of the board's memory."""

from __future__ import annotations

import dataclasses

import pytest

from kits.fake_firmware import FakeFirmware
from measure.test_run import TICKS, run
from tinyedge.artifacts import Counting, Figure, FlashReads
from tinyedge.chip import Calibration
from tinyedge.console.contract import CounterReading

CALIBRATED = Calibration(
    code_miss_cycles=4, data_miss_cycles=30, error_percent=12, conditions="120 MHz", source="a board"
)
BOUNDS = Calibration(code_line_cycles=1.25, conditions="64 MHz", source="a board")


def readings_of(firmware: FakeFirmware) -> list[CounterReading]:
    """Those of the firmware, as if flash had been read in between: a tenth as many misses as cycles."""
    return [
        dataclasses.replace(each, code_misses=each.cycles // 10, data_misses=7, code_lines=each.cycles, stall_cycles=3)
        for each in firmware.take_readings()
    ]


def test_a_calibrated_board_has_a_latency_with_the_error_of_its_calibration() -> None:
    result = run(FakeFirmware(), counting=Counting("cycles", error_percent=12, calibration=CALIBRATED))
    assert result.cycles == Figure("modelled", TICKS, 12)
    assert result.latency_us == Figure("modelled", TICKS / 64, 12)
    assert result.calibration == CALIBRATED


def test_bounds_are_a_range_of_cycles_and_of_latency() -> None:
    firmware = FakeFirmware()
    counting = Counting("cycles", calibration=BOUNDS, reads_flash=True)
    result = run(firmware, readings=lambda: readings_of(firmware), counting=counting)
    upper = TICKS + 1.25 * TICKS
    assert result.cycles == Figure("modelled", TICKS, upper=upper)
    assert result.latency_us is not None
    assert (result.latency_us.value, result.latency_us.upper) == (TICKS / 64, pytest.approx(upper / 64))


def test_reads_are_those_of_one_inference_and_of_each_layer() -> None:
    firmware = FakeFirmware()
    counting = Counting("cycles", error_percent=12, calibration=CALIBRATED, reads_flash=True)
    result = run(firmware, readings=lambda: readings_of(firmware), counting=counting)
    assert result.reads is not None
    assert (result.reads.code_lines, result.reads.data_misses) == (TICKS, 0)
    assert [layer.reads for layer in result.layers] == [
        FlashReads(pytest.approx(layer.cycles / 10, abs=1), 0, layer.cycles or 0, 0) for layer in result.layers
    ]
