"""Makes tinyedge/cost/rates.json of counted runs, and the table of errors in docs/fit.md.

    python -m benchmarks.rates counts.jsonl [probes.jsonl]

counts.jsonl is made by `benchmarks.rates_counts`, probes.jsonl by `benchmarks.rates_probes`. What parts of kernels take
is found by least squares of relative errors in which nothing is negative, drawn towards what kernels state themselves;
a model as a whole weighs more than a layer, a layer more than a probe.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Board, load_board
from tinyedge.cost.flash import FlashParts, code_bytes
from tinyedge.cost.rates import FILE, SCHEMA, FlashRates
from tinyedge.cost.units import STREAM
from tinyedge.cost.work import CALL, ESTIMATE, STATED

Record = Mapping[str, Any]
Vector = npt.NDArray[np.float64]
_PROFILE, _PROBE = "profile", "probe"
"""in the place of a kernel: what counting itself takes"""
_TOTAL_WEIGHT, _PROBE_WEIGHT = 25.0, 0.1
_PULL = 5e-4
"""how strongly parts are drawn towards what kernels state"""
_STREAM_PRIOR = {"calls": 25.0, "borders": 20.0, "slides": 20.0, "loads": 20.0}
_CALL_PRIOR, _PROFILE_PRIOR, _COPIED_PRIOR = 12.0, 15.0, 0.8
_STACK_BYTES = 2048
_SWEEPS = 1500


@dataclass(frozen=True)
class Sight:
    """A piece of work, and what was counted of it; it counts `weight` times its relative error."""

    work: Mapping[tuple[str, str], float]
    found: float
    weight: float


def see(record: Record, figure: Callable[[Record], float], in_all: float) -> list[Sight]:
    """The units of a run, and the run as a whole."""
    sights = []
    everything: dict[tuple[str, str], float] = defaultdict(float)
    for unit in record["units"]:
        work = {(kernel, part): count for kernel, part, count in unit["work"]}
        for part, count in work.items():
            everything[part] += count
        found = sum(figure(layer) for layer in record["layers"][unit["first"] : unit["last"] + 1])
        sights.append(Sight({**work, (_PROFILE, "calls"): unit["calls"]}, found, 1 / (found + 60)))
    return [*sights, Sight(everything, in_all, _TOTAL_WEIGHT / (in_all + 10))]


def solve(sights: Sequence[Sight], estimate: float, stated: float) -> dict[tuple[str, str], float]:
    """What each part takes."""
    names = {part: at for at, part in enumerate(dict.fromkeys(part for sight in sights for part in sight.work))}
    matrix = np.zeros((len(sights), len(names)))
    for row, sight in enumerate(sights):
        for part, count in sight.work.items():
            matrix[row, names[part]] = count * sight.weight
    found = np.array([sight.found * sight.weight for sight in sights])
    used = np.maximum((matrix != 0).sum(axis=0), 1)
    pull = np.sqrt(_PULL * (matrix**2).sum(axis=0) / used)
    prior = np.array([_prior(kernel, part, estimate, stated) for kernel, part in names])
    solved = non_negative(np.vstack([matrix, np.diag(pull)]), np.concatenate([found, pull * prior]))
    return {part: float(solved[at]) for part, at in names.items()}


def _prior(kernel: str, part: str, estimate: float, stated: float) -> float:
    if kernel == STREAM:
        return stated * _STREAM_PRIOR.get(part, 1.0)
    if kernel in (_PROFILE, _PROBE):
        return stated * _PROFILE_PRIOR
    if part.startswith("copied"):
        return stated * _COPIED_PRIOR
    return {STATED: stated, ESTIMATE: estimate, CALL: _CALL_PRIOR * stated}.get(part, 0.0)


def non_negative(matrix: Vector, wanted: Vector) -> Vector:
    """Least squares without negative numbers: what would be below 0 is left out, then one number after the other
    is made better until nothing moves."""
    at = np.zeros(matrix.shape[1])
    kept = np.arange(matrix.shape[1])
    while len(kept):
        found = np.linalg.lstsq(matrix[:, kept], wanted, rcond=None)[0]
        if (found >= 0).all():
            at[kept] = found
            break
        kept = kept[found >= 0]
    products, right = matrix.T @ matrix, matrix.T @ wanted
    lengths = np.maximum(np.diag(products), 1e-30)
    for _ in range(_SWEEPS):
        before = at.copy()
        for i in range(len(at)):
            at[i] = max(at[i] + (right[i] - products[i] @ at) / lengths[i], 0.0)
        if np.abs(at - before).max(initial=0.0) <= 1e-7 * max(np.abs(at).max(initial=0.0), 1.0):
            break
    return at


def rates(records: Sequence[Record], key: str, in_all: str, probes: Iterable[Sight] = ()) -> dict[str, Any]:
    """The entry of a core and a figure."""

    def figure(layer: Record) -> float:
        return float(layer[key])

    seen = {at: see(record, figure, record[in_all]) for at, record in enumerate(records)}
    everything = [sight for sights in seen.values() for sight in sights]
    estimate, stated = _ratio(everything, ESTIMATE), _ratio(everything, STATED)
    solved = solve([*everything, *probes], estimate, stated)
    errors = [_error(solved, sights[-1]) for sights in seen.values()]
    return entry(solved, estimate, stated, errors)


def _ratio(sights: Sequence[Sight], part: str) -> float:
    """What is found of a unit that one kernel runs, for each that its part counts: the median."""
    found = [
        sight.found / count
        for sight in sights
        for (_, name), count in sight.work.items()
        if name == part and len(sight.work) < 12 and count > 300
    ]
    return float(np.median(found)) if found else 1.0


def entry(
    solved: Mapping[tuple[str, str], float], estimate: float, stated: float, errors: Sequence[float]
) -> dict[str, Any]:
    parts: dict[str, dict[str, float]] = defaultdict(dict)
    for (kernel, part), value in solved.items():
        if kernel not in (_PROFILE, _PROBE):
            parts[kernel][part] = float(f"{value:.5g}")
    largest = max(map(abs, errors), default=0.0)
    return {
        "error_percent": _up(largest),
        "estimate": float(f"{estimate:.4g}"),
        "stated": float(f"{stated:.4g}"),
        "parts": dict(sorted(parts.items())),
    }


def _error(solved: Mapping[tuple[str, str], float], sight: Sight) -> float:
    return 100 * (sum(solved[part] * count for part, count in sight.work.items()) / sight.found - 1)


def _up(percent: float) -> float:
    """To a tenth, upwards."""
    return float(np.ceil(percent * 10 - 1e-9)) / 10


# -- flash -----------------------------------------------------------------------------------------------------------

_FLASH_PRIORS = {
    "asm": (1.0, 0.03),
    "layer code": (1.0, 0.3),
    "stream code": (1.0, 0.3),
    "streams": (50.0, 100.0),
    "stream layers": (20.0, 20.0),
    "units": (12.0, 10.0),
    "layers": (16.0, 6.0),
    "strings": (1.0, 0.1),
    "base": (5000.0, 3000.0),
}
"""(what is expected, how far it may be off) of each piece"""


def parts_of(record: Record) -> FlashParts:
    """The pieces of a firmware that was built."""
    return FlashParts(record["constants"], record["parts"], record["stated"])


def flash_rates(records: Sequence[Record]) -> tuple[dict[str, Any], float]:
    """(the entry of a core, bytes of the firmware of its board without a model)."""
    found = [(record, parts_of(record)) for record in records]
    names = {name: at for at, name in enumerate(dict.fromkeys(["base", *(n for _, f in found for n in f.parts)]))}
    stated = {name: size for _, parts in found for name, size in parts.stated.items()}
    matrix, wanted = np.zeros((len(found), len(names))), np.zeros(len(found))
    for row, (record, parts) in enumerate(found):
        weight = 1 / (8 + 0.001 * record["flash"])
        for name, count in {"base": 1.0, **parts.parts}.items():
            matrix[row, names[name]] = count * weight
        wanted[row] = (record["flash"] - parts.constant_bytes) * weight
    priors = [_flash_prior(name, stated) for name in names]
    expected, spread = (np.array(values) for values in zip(*priors, strict=True))
    solved = np.linalg.lstsq(
        np.vstack([matrix, np.diag(1 / spread)]), np.concatenate([wanted, expected / spread]), rcond=None
    )[0]
    bytes_of = {name: float(f"{solved[at]:.5g}") for name, at in names.items() if name != "base"}
    base = float(solved[names["base"]])
    rates_of = FlashRates(0.0, bytes_of)
    errors = [
        100 * ((base + parts.constant_bytes + code_bytes(parts, rates_of)) / record["flash"] - 1)
        for record, parts in found
    ]
    return {"error_percent": _up(max(map(abs, errors))), "parts": dict(sorted(bytes_of.items()))}, base


def _flash_prior(name: str, stated: Mapping[str, int]) -> tuple[float, float]:
    if name in _FLASH_PRIORS:
        return _FLASH_PRIORS[name]
    if name in stated:
        return float(stated[name]), 0.25 * stated[name] + 60
    return (0.0, 10.0) if name.startswith("asm ") else (0.0, 12.0)


def base_sizes(record: Record, flash: FlashRates, parts: FlashParts) -> tuple[int, int]:
    """(flash, RAM without stack) of a board's firmware without the model that it was built with."""
    return (
        record["flash"] - parts.constant_bytes - round(code_bytes(parts, flash)),
        record["ram"] - _STACK_BYTES - record["arena"] - record["state"] - record["profile"],
    )


# -- all together ----------------------------------------------------------------------------------------------------

_EVENTS = ("code_misses", "data_misses", "code_lines")
_OF_BOARD = {"nrf52840dk": ("code_lines",), "nucleo_l4r5zi": ("code_misses", "data_misses")}
_SHARED_CACHES = {"nrf52840dk": ("arduino_nano_33_ble", "bbc_microbit_v2", "seeed_xiao_nrf52840")}
"""boards with the same caches in front of the same core"""


def make(counts: Sequence[Record], probes: Sequence[Record]) -> dict[str, Any]:
    """The content of rates.json."""
    good = [record for record in counts if "error" not in record]
    cached = [record for record in good if record["board"] in _OF_BOARD and "layers" in record]
    grouped: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in good:
        if "layers" in record and record["board"] not in _OF_BOARD:
            grouped[record["core"], record["compiler"]].append(record)
    cores: dict[str, dict[str, Any]] = defaultdict(dict)
    for (core, compiler), records in sorted(grouped.items()):
        seen = [each for each in probes if (each["core"], each["compiler"]) == (core, compiler)]
        timed = records[0]["cycles"] is not None
        flash, _ = flash_rates(records)
        cores[core][compiler] = {
            "instructions": rates(records, "n", "instructions", _probes(seen, "n")),
            "cycles": rates(records, "c", "cycles", _probes(seen, "c")) if timed else None,
            "flash": flash,
        }
        _say(core, compiler, cores[core][compiler])
    return {"schema": SCHEMA, "cores": dict(cores), "boards": _bases(good, cores), "misses": _misses(cached)}


def _say(core: str, compiler: str, found: Mapping[str, Any]) -> None:
    errors = {name: values and values["error_percent"] for name, values in found.items()}
    print(core, compiler, errors, flush=True)  # noqa: T201


def _probes(probes: Iterable[Record], key: str) -> list[Sight]:
    return [
        Sight(
            {**{(kernel, part): count for kernel, part, count in each["work"]}, (_PROBE, "calls"): 1.0},
            each[key],
            _PROBE_WEIGHT / (each[key] + 150),
        )
        for each in probes
    ]


def _bases(records: Sequence[Record], cores: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """By the smallest model that each board was built with."""
    smallest: dict[tuple[str, str], Record] = {}
    for record in sorted(records, key=lambda each: each["flash"]):
        if record["model"] == "hello_world_int8":
            smallest.setdefault((record["board"], record["compiler"]), record)
    bases: dict[str, dict[str, Any]] = defaultdict(dict)
    for (board, compiler), record in sorted(smallest.items()):
        core = "rv32imc" if record["core"].startswith("rv32") else record["core"]
        flash = FlashRates(**cores[core][compiler]["flash"])
        parts = parts_of(record)
        bases[board][compiler] = base_sizes(record, flash, parts)
    return dict(bases)


def _misses(records: Sequence[Record]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for board, events in _OF_BOARD.items():
        runs = [_with_events(record) for record in records if record["board"] == board]
        if runs:
            found[board] = {event: rates(runs, event, event) for event in events}
            error = waits_error(found[board], runs, load_board(board))
            found[board] = {event: {**values, "error_percent": error} for event, values in found[board].items()}
            for other in _SHARED_CACHES.get(board, ()):
                found[other] = found[board]
    return found


def waits_error(events: Mapping[str, Any], runs: Sequence[Record], board: Board) -> float:
    """The largest error of the waits for memory, in percent of all cycles of an inference."""
    calibration = board.calibration
    assert calibration is not None
    cycles = {"code_misses": calibration.code_miss_cycles, "data_misses": calibration.data_miss_cycles}
    cycles["code_lines"] = calibration.code_line_cycles or 0.0
    errors = []
    for run in runs:
        off = 0.0
        for event, values in events.items():
            work = [item for unit in run["units"] for item in unit["work"]]
            predicted = sum(values["parts"][kernel][part] * count for kernel, part, count in work)
            off += cycles[event] * (predicted - run[event])
        errors.append(100 * abs(off) / run["cycles"])
    return _up(max(errors))


def _with_events(record: Record) -> Record:
    """A run whose layers name their misses."""
    layers = [{**layer, **dict(zip(_EVENTS, layer["r"], strict=False))} for layer in record["layers"]]
    return {**record, **dict(zip(_EVENTS, record["reads"], strict=False)), "layers": layers}


_PAGE = Path(__file__).parents[1] / "docs" / "fit.md"
_CORES = {
    "cortex-m0plus": "M0+",
    "cortex-m3": "M3",
    "cortex-m4f": "M4F",
    "cortex-m7f": "M7",
    "cortex-m33f": "M33",
    "cortex-m55": "M55",
    "rv32imc": "RV32",
}
_BEGIN, _END = "<!-- errors: benchmarks.rates -->", "<!-- end -->"


def error_tables(records: Sequence[Record], content: Mapping[str, Any]) -> str:
    """Errors in percent by model and core, of instructions and of flash: zig's, and gcc's behind a stroke."""
    found: dict[str, dict[tuple[str, str], tuple[float, float]]] = defaultdict(dict)
    for record in records:
        rates_of = content["cores"].get(record["core"], {}).get(record["compiler"])
        if "layers" not in record or record["board"] in _OF_BOARD or rates_of is None:
            continue
        parts = rates_of["instructions"]["parts"]
        work = [item for unit in record["units"] for item in unit["work"]]
        instructions = sum(parts[kernel][part] * count for kernel, part, count in work)
        base, _ = content["boards"][record["board"]][record["compiler"]]
        flash = base + record["constants"] + code_bytes(parts_of(record), FlashRates(**rates_of["flash"]))
        found[record["model"]][record["core"], record["compiler"]] = (
            100 * (instructions / record["instructions"] - 1),
            100 * (flash / record["flash"] - 1),
        )
    titles = ("instructions, error in %", "flash, error in %")
    return "\n\n".join(_table(title, found, which) for which, title in enumerate(titles))


def _table(title: str, found: Mapping[str, Mapping[tuple[str, str], tuple[float, float]]], which: int) -> str:
    lines = [f"| {title} | {' | '.join(_CORES.values())} |", "|---" * (len(_CORES) + 1) + "|"]
    for model, errors in sorted(found.items()):
        cells = []
        for core in _CORES:
            both = [errors.get((core, compiler)) for compiler in ("zig", "gcc")]
            cells.append(" / ".join("-" if each is None else f"{each[which]:+.1f}" for each in both))
        lines.append(f"| {model} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """See the module."""
    counts, *probes = ([json.loads(line) for line in Path(name).read_text().splitlines()] for name in arguments)
    content = make(counts, [each for part in probes for each in part])
    page = _PAGE.read_text()
    before, rest = page.split(_BEGIN)
    _PAGE.write_text(f"{before}{_BEGIN}\n\n{error_tables(counts, content)}\n\n{_END}{rest.split(_END)[1]}")
    FILE.write_text(json.dumps(content, separators=(",", ":"), sort_keys=True).replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
