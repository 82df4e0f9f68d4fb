"""Energy of an inference and the life of a battery, by hand."""

from __future__ import annotations

import dataclasses

import pytest

from kits.artifacts_by_hand import measured
from tinyedge.artifacts import Figure, Measured, TracedEnergy
from tinyedge.chip import Energy
from tinyedge.errors import UsageError
from tinyedge.report.energy import Battery, Duty, battery_days, energy_document, energy_pairs, energy_uj, parse_duty

LDO = Energy(nj_per_cycle=0.5, volts=1.8, regulator="ldo", error_percent=10, source="a test")
COIN = Battery(220, 3.0)


def on(energy: Energy | None, cycles: Figure | None = None) -> Measured:
    """A run of 1 M cycles, 10 ms, on a board with that energy."""
    run = measured(cycles=cycles or Figure("modelled", 1_000_000, 13.0), latency_us=Figure("modelled", 10_000.0, 13.0))
    prepared = run.built.prepared
    board = dataclasses.replace(prepared.board, energy=energy)
    return dataclasses.replace(
        run, built=dataclasses.replace(run.built, prepared=dataclasses.replace(prepared, board=board))
    )


def test_energy_is_cycles_by_nanojoules_with_both_errors() -> None:
    assert energy_uj(on(LDO)) == Figure("modelled", pytest.approx(500), 23.0)
    assert energy_uj(on(LDO, Figure("measured", 1_000_000))) == Figure("modelled", pytest.approx(500), 10.0)


def test_a_linear_regulator_takes_more_at_a_higher_voltage() -> None:
    linear, switching = energy_uj(on(LDO), 3.6), energy_uj(on(dataclasses.replace(LDO, regulator="smps")), 3.6)
    assert linear is not None
    assert switching is not None
    assert (linear.value, switching.value) == (pytest.approx(1000), pytest.approx(500))


@pytest.mark.parametrize(
    "cycles", [Figure("modelled", 9.0, 45.0, at_zero_wait_states=True), Figure("modelled", 9.0, upper=10.0)]
)
def test_what_is_unknown_stays_unknown(cycles: Figure) -> None:
    assert energy_uj(on(LDO, cycles)) is None
    assert energy_uj(on(None)) is None
    assert energy_pairs(on(None), None) == []
    document = energy_document(on(LDO, cycles), Duty(1, COIN))
    assert (document["energy_uj"]["value"], document["battery_days"]) == (None, None)
    assert dict(energy_pairs(on(None), Duty(1, COIN)))["energy"].startswith("unknown")


def test_the_life_of_a_battery() -> None:
    energy = dataclasses.replace(LDO, regulator="smps")
    days = battery_days(on(energy), Duty(1, COIN, sleep_ua=10))
    watts = 500e-6 + 10e-6 * 3 * 0.99
    assert days is not None
    assert days.value == pytest.approx(220e-3 * 3600 * 3 / watts / 86400)
    assert "at most" in dict(energy_pairs(on(energy), Duty(1, COIN)))["battery"]
    assert "at most" not in dict(energy_pairs(on(energy), Duty(1, COIN, 10)))["battery"]


def test_more_inferences_than_there_is_time_for_are_refused() -> None:
    with pytest.raises(UsageError, match="more than it can do"):
        battery_days(on(LDO), Duty(101, COIN))


@pytest.mark.parametrize(
    ("rate", "battery", "sleep", "message"),
    [
        ("1/s", None, None, "needs both"),
        (None, None, 3.0, "needs both"),
        ("often", "220mAh@3V", None, "no rate"),
        ("0/s", "220mAh@3V", None, "no rate"),
        ("1/s", "220mAh", None, "no battery"),
        ("1/s", "220mAh@3V", -1.0, "below 0"),
    ],
)
def test_nonsense_is_refused(rate: str | None, battery: str | None, sleep: float | None, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_duty(rate, battery, sleep)


def test_what_was_recorded_is_measured() -> None:
    traced = TracedEnergy(12, 640.0, 630.0, 655.0, 9_900.0)
    assert energy_uj(on(LDO), 3.6, traced) == Figure("measured", 640.0)
    text = dict(energy_pairs(on(None), Duty(1, COIN, 10), traced))
    assert text["energy"] == "640 uJ (measured; 630 to 655) of one inference, median of 12, which took 9.900 ms"
    assert "(measured)" not in text["battery"]
    document = energy_document(on(LDO), Duty(1, COIN, 10), traced)
    assert document["energy_uj"] == {"kind": "measured", "value": 640.0}
    assert document["energy_conditions"] is None
