"""A plan on a board: instructions, cycles, flash and RAM, from tables of what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from tinyedge.artifacts import Plan
from tinyedge.artifacts.prediction import LayerPrediction, Prediction, UnitPrediction
from tinyedge.boards import Board, Core
from tinyedge.cost.flash import FlashParts, code_bytes, flash_parts, unit_costs
from tinyedge.cost.rates import CoreRates, base_of, core_rates, miss_rates
from tinyedge.cost.units import STREAM, UnitWork, layer_works, unit_work

STACK_BYTES = 2048
"""of a firmware, as its linker script reserves it"""
_LARGEST_ALIGNMENT = 8
"""that leaves gaps in RAM"""


def predict(plan: Plan, board: Board, compiler: str) -> Prediction:
    """Raises: UsageError when nothing is known of code for the board's core by that compiler."""
    rates = core_rates(board.core.name, compiler)
    done = _work_of(plan, board.core)
    work = [each.whole for each in done]
    units = tuple(_units(plan, done, rates))
    parts = _parts_of(plan)
    base = base_of(board.name, compiler)
    misses = {event: round(sum(rate.of(each) for each in work)) for event, rate in miss_rates(board.name).items()}
    errors = [rate.error_percent for rate in miss_rates(board.name).values()]
    kernels = dict.fromkeys(kernel for each in work for kernel, _ in each)
    cycles = rates.cycles
    return Prediction(
        instructions=sum(unit.instructions for unit in units),
        instructions_error_percent=rates.instructions.error_percent,
        cycles=None if cycles is None else sum(cast(int, unit.cycles) for unit in units),
        cycles_error_percent=None if cycles is None else cycles.error_percent,
        misses=misses,
        misses_error_percent=max(errors, default=0.0),
        flash_bytes=None
        if base is None
        else base.flash_bytes + parts.constant_bytes + round(code_bytes(parts, rates.flash)),
        flash_error_percent=rates.flash.error_percent,
        ram_bytes=None if base is None else STACK_BYTES + ram_bytes(plan, base.ram_bytes),
        arena_bytes=plan.arena_bytes,
        state_bytes=plan.state_bytes,
        constant_bytes=parts.constant_bytes,
        units=units,
        uncounted=tuple(name for name in kernels if name != STREAM and not rates.instructions.knows(name)),
    )


def ram_bytes(plan: Plan, base_bytes: int) -> int:
    """Of a firmware's data: what every firmware has, arena and state, and what a profile keeps of each layer."""
    alignment = min(max(plan.alignment, 4), _LARGEST_ALIGNMENT)
    return -(-(base_bytes + profile_bytes(plan) + plan.arena_bytes + plan.state_bytes) // alignment) * alignment


def profile_bytes(plan: Plan) -> int:
    """What a firmware keeps of each layer while it is profiled."""
    return (16 if plan.groups else 8) * len(plan.layers)


@dataclass(frozen=True)
class _Done:
    """What a unit executes: all of it, and each of its layers."""

    whole: UnitWork
    layers: tuple[UnitWork, ...]


@lru_cache(maxsize=16)
def _work_of(plan: Plan, core: Core) -> tuple[_Done, ...]:
    """Of each unit, the same on all boards of a core."""
    found = []
    for unit in plan.units:
        whole = unit_work(plan, unit, core)
        found.append(_Done(whole, tuple(layer_works(unit, whole, core))))
    return tuple(found)


@lru_cache(maxsize=16)
def _parts_of(plan: Plan) -> FlashParts:
    return flash_parts(plan)


def _units(plan: Plan, done: Sequence[_Done], rates: CoreRates) -> Iterator[UnitPrediction]:
    constants = {unit.first: cost.constant_bytes for unit, cost in unit_costs(plan)}
    for unit, each in zip(plan.units, done, strict=True):
        layers = [
            LayerPrediction(
                step=step,
                kernel=plan.layers[step].kernel.name,
                instructions=round(rates.instructions.of(own)),
                constant_bytes=plan.layers[step].cost.constant_bytes,
            )
            for step, own in enumerate(each.layers, start=unit.first)
        ]
        yield UnitPrediction(
            first=unit.first,
            last=unit.last,
            kernel=unit.kernel.name,
            instructions=round(rates.instructions.of(each.whole)),
            cycles=None if rates.cycles is None else round(rates.cycles.of(each.whole)),
            constant_bytes=constants[unit.first],
            layers=tuple(layers),
        )
