"""Energy of an inference, and how long a battery lasts: cycles by what a chip takes for each, where that is known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tinyedge.artifacts import Figure, Kind, Measured, TracedEnergy
from tinyedge.boards import Board
from tinyedge.chip import Energy
from tinyedge.errors import UsageError
from tinyedge.report.table import describe_kind, format_time

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_NANO_TO_MICRO = 1e-3
_DAYS_OF_YEAR = 365.25


@dataclass(frozen=True)
class Battery:
    """What a battery holds."""

    mah: float
    volts: float

    @property
    def joules(self) -> float:
        return self.mah * 3.6 * self.volts


@dataclass(frozen=True)
class Duty:
    """How a product uses a network.

    rate_hz   inferences a second
    sleep_ua  what flows between them; None: nobody said, and a battery lasts that long at most
    """

    rate_hz: float
    battery: Battery
    sleep_ua: float | None = None


def parse_duty(rate: str | None, battery: str | None, sleep_ua: float | None) -> Duty | None:
    """What `--rate`, `--battery` and `--sleep-ua` say; None without any. Raises: UsageError

    >>> parse_duty("6/min", "220mAh@3V", 2.5)
    Duty(rate_hz=0.1, battery=Battery(mah=220.0, volts=3.0), sleep_ua=2.5)
    """
    if rate is None and battery is None and sleep_ua is None:
        return None
    if rate is None or battery is None:
        raise UsageError(
            "the life of a battery needs both `--rate` and `--battery`", hint="`--rate 1/s --battery 220mAh@3V`"
        )
    rates = re.fullmatch(r"(\d+(?:\.\d+)?)/(s|min|h|d)", rate)
    if rates is None or not float(rates[1]):
        raise UsageError(
            f"`--rate {rate}` is no rate", hint="inferences a second, minute, hour or day: 1/s, 6/min, 24/d"
        )
    found = re.fullmatch(r"(\d+(?:\.\d+)?)mAh@(\d+(?:\.\d+)?)V", battery)
    if found is None or not float(found[1]) or not float(found[2]):
        raise UsageError(f"`--battery {battery}` is no battery", hint="its charge and voltage: 220mAh@3V")
    if sleep_ua is not None and sleep_ua < 0:
        raise UsageError(f"`--sleep-ua {sleep_ua:g}` is below 0")
    return Duty(float(rates[1]) / _SECONDS[rates[2]], Battery(float(found[1]), float(found[2])), sleep_ua)


def energy_uj(measured: Measured, volts: float | None = None, traced: TracedEnergy | None = None) -> Figure | None:
    """Of one inference, in microjoules; at other `volts` a linear regulator takes more. None where it is unknown.

    What was recorded is measured, whatever the voltage. Else the error is that of the cycles and that of the energy of
    a cycle together.
    """
    if traced is not None:
        return Figure("measured", traced.energy_uj)
    run, energy = measured.run, measured.built.prepared.board.energy
    if energy is None or run.cycles is None or run.cycles.at_zero_wait_states or run.cycles.upper is not None:
        return None
    per_cycle = energy.nj_per_cycle * _NANO_TO_MICRO * _voltage_factor(energy, volts)
    error = (run.cycles.error_percent or 0.0) + energy.error_percent
    return Figure("modelled", run.cycles.value * per_cycle, error)


def _voltage_factor(energy: Energy, volts: float | None) -> float:
    """A linear regulator lets the same current flow from any supply, a switching one takes the same power."""
    return volts / energy.volts if volts is not None and energy.regulator == "ldo" else 1.0


def battery_days(measured: Measured, duty: Duty, traced: TracedEnergy | None = None) -> Figure | None:
    """How long the battery lasts, self-discharge and other parts of the product left out; None where it is unknown.

    Raises: UsageError when the inferences take longer than there is time
    """
    run, board = measured.run, measured.built.prepared.board
    energy = energy_uj(measured, duty.battery.volts, traced)
    if energy is None or run.latency_us is None:
        return None
    return life_days(board, energy, run.latency_us, duty, "modelled", measured.built.prepared.model.name)


def life_days(
    board: Board, energy: Figure, latency_us: Figure, duty: Duty, kind: Kind, model: str = "the model"
) -> Figure:
    """How long a battery lasts at the energy of an inference. Raises: UsageError as `battery_days`"""
    busy = duty.rate_hz * latency_us.value / 1e6
    if busy > 1:
        raise UsageError(
            f"`{model}` takes {latency_us.value / 1e6:.3g} s on `{board.name}`: "
            f"{duty.rate_hz:.3g} inferences a second are more than it can do",
            hint=f"`--rate {1e6 / latency_us.value:.2g}/s` at most",
        )
    asleep_w = (_sleep_ua(board, duty) or 0.0) * 1e-6 * duty.battery.volts * (1 - busy)
    watts = energy.value * 1e-6 * duty.rate_hz + asleep_w
    return Figure(kind, duty.battery.joules / watts / 86400, energy.error_percent)


def _sleep_ua(board: Board, duty: Duty) -> float | None:
    if duty.sleep_ua is not None:
        return duty.sleep_ua
    return board.energy.sleep_ua if board.energy is not None else None


def energy_pairs(measured: Measured, duty: Duty | None, traced: TracedEnergy | None = None) -> list[tuple[str, str]]:
    """(name, text) for a report. Raises: UsageError as `battery_days`"""
    board = measured.built.prepared.board
    figure = energy_uj(measured, traced=traced)
    if figure is None:
        if duty is None:
            return []
        why = "cycles are no time here" if board.energy is not None else "nobody published what this chip takes"
        return [("energy", f"unknown: {why}"), ("battery", "unknown")]
    if traced is not None:
        spread = f"; {traced.smallest_uj:,.4g} to {traced.largest_uj:,.4g}"
        at = f"median of {traced.inferences:,}, which took {format_time(traced.duration_us)}"
    else:
        assert board.energy is not None
        spread, at = "", f"at {board.energy.volts:g} V, {board.energy.regulator.upper()}"
    pairs = [("energy", f"{figure.value:,.4g} uJ ({describe_kind(figure)}{spread}) of one inference, {at}")]
    if duty is not None and (days := battery_days(measured, duty, traced)) is not None:
        known = _sleep_ua(board, duty) is not None
        text = f"{life_text(days.value)} ({describe_kind(days)}) at {duty.rate_hz:.3g} inferences a second"
        pairs.append(("battery", text if known else f"at most {text}: `--sleep-ua` says what flows between them"))
    return pairs


def life_text(days: float) -> str:
    """
    >>> life_text(0.5), life_text(40), life_text(4000)
    ('12.0 hours', '40.0 days', '11.0 years')
    """
    if days < 1:
        return f"{days * 24:.1f} hours"
    return f"{days:.1f} days" if days < 2 * _DAYS_OF_YEAR else f"{days / _DAYS_OF_YEAR:.1f} years"


def energy_document(measured: Measured, duty: Duty | None, traced: TracedEnergy | None = None) -> dict[str, Any]:
    """The keys that energy adds to `tinyedge.run/2`."""
    figure, energy = energy_uj(measured, traced=traced), measured.built.prepared.board.energy
    days = None if duty is None else battery_days(measured, duty, traced)
    known = duty is not None and _sleep_ua(measured.built.prepared.board, duty) is not None
    return {
        "energy_uj": {"kind": None, "value": None} if figure is None else figure.to_json(),
        "energy_conditions": None
        if energy is None or traced is not None
        else {"volts": energy.volts, "regulator": energy.regulator},
        "battery_days": None if days is None else days.to_json() | {"at_most": not known},
    }
