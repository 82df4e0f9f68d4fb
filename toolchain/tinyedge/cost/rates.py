"""What parts of kernels and firmware take on a core, by a compiler: found by counting, kept in rates.json.

`python -m benchmarks.rates` makes the file from counted runs. Instructions and cycles are of one execution of a part.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyedge.cost.units import STREAM, UnitWork
from tinyedge.cost.work import CALL, ESTIMATE, STATED
from tinyedge.errors import UsageError

FILE = Path(__file__).with_name("rates.json")
SCHEMA = "tinyedge.rates/1"
_SAME_CODE = {"rv32imac": "rv32imc"}
"""cores that are compiled for alike"""


@dataclass(frozen=True)
class Rates:
    """What grows with work: instructions, cycles, or misses of caches.

    error_percent  the largest error over the models that were counted
    estimate       what a cycle of the planner's estimate is worth, where a kernel was never counted
    stated         what an instruction that a kernel states is worth there
    parts          kernel -> part -> what it takes
    """

    error_percent: float
    estimate: float
    stated: float
    parts: Mapping[str, Mapping[str, float]]

    def of(self, work: UnitWork) -> float:
        """What a piece of work takes."""
        total = 0.0
        for (kernel, part), count in work.items():
            known = self.parts.get(kernel)
            total += count * (known.get(part, 0.0) if known is not None else self._unknown(part))
        return total

    def knows(self, kernel: str) -> bool:
        """Whether the kernel was ever counted."""
        return kernel == STREAM or kernel in self.parts

    def _unknown(self, part: str) -> float:
        return {STATED: self.stated, ESTIMATE: self.estimate, CALL: 12.0 * self.stated}.get(part, 0.0)


@dataclass(frozen=True)
class FlashRates:
    """Bytes of machine code, and of what a firmware says of a model.

    error_percent  the largest error over the models that were built
    parts          what a piece of a firmware takes; see `tinyedge.cost.flash`
    """

    error_percent: float
    parts: Mapping[str, float]


@dataclass(frozen=True)
class CoreRates:
    """Of a core, by a compiler. `cycles` None: nothing models them."""

    instructions: Rates
    cycles: Rates | None
    flash: FlashRates


@dataclass(frozen=True)
class Base:
    """A firmware without a model, in bytes: `ram_bytes` without its stack."""

    flash_bytes: int
    ram_bytes: int


@dataclass(frozen=True)
class _Table:
    cores: Mapping[tuple[str, str], CoreRates]
    bases: Mapping[tuple[str, str], Base]
    misses: Mapping[str, Mapping[str, Rates]]


def core_rates(core: str, compiler: str) -> CoreRates:
    """Raises: UsageError when nothing was ever counted there."""
    found = _table().cores.get((_SAME_CODE.get(core, core), compiler))
    if found is None:
        raise UsageError(
            f"nothing is known of code for the core `{core}` by `{compiler}`", hint="`--compiler zig` builds for all"
        )
    return found


def has_rates(core: str, compiler: str) -> bool:
    return (_SAME_CODE.get(core, core), compiler) in _table().cores


def base_of(board: str, compiler: str) -> Base | None:
    """The firmware of a board without a model; None for a board that was never built for."""
    return _table().bases.get((board, compiler))


def base_boards() -> tuple[str, ...]:
    """The boards whose firmware was built."""
    return tuple(sorted({board for board, _ in _table().bases}))


def miss_rates(board: str) -> Mapping[str, Rates]:
    """Event -> its rates, of a board whose misses were counted; empty for others."""
    return _table().misses.get(board, {})


@functools.cache
def _table() -> _Table:
    body = json.loads(FILE.read_text(encoding="utf-8"))
    assert body["schema"] == SCHEMA
    cores = {
        (core, compiler): CoreRates(
            _rates(values["instructions"]),
            _rates(values["cycles"]) if values["cycles"] is not None else None,
            FlashRates(values["flash"]["error_percent"], values["flash"]["parts"]),
        )
        for core, compilers in body["cores"].items()
        for compiler, values in compilers.items()
    }
    bases = {
        (board, compiler): Base(*sizes)
        for board, compilers in body["boards"].items()
        for compiler, sizes in compilers.items()
    }
    misses = {
        board: {event: _rates(values) for event, values in events.items()} for board, events in body["misses"].items()
    }
    return _Table(cores, bases, misses)


def _rates(values: Mapping[str, object]) -> Rates:
    return Rates(**values)  # type: ignore[arg-type]
