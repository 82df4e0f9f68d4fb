"""A model on all boards, predicted: as a table and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinyedge.artifacts import Figure
from tinyedge.artifacts.prediction import AimFit, BoardFit, Fit
from tinyedge.errors import UsageError
from tinyedge.report.budgets import BudgetLine, budget_lines
from tinyedge.report.energy import Duty, life_days, life_text
from tinyedge.report.table import Cell, describe_kind, format_range, format_time, render_table

SCHEMA = "tinyedge.fit/1"
_HEADERS = ("board", "fits", "flash bytes left", "RAM bytes left", "instr.", "cycles, or time")
_MEGA, _KILO = 1e6, 1e3


def render_fit(fit: Fit, duty: Duty | None = None) -> str:
    """A line a board, those that it fits first; below, what would make it fit elsewhere."""
    rows = [_row(each, fit.aim) for each in _in_order(fit)]
    told = [each for each in fit.boards if fit.aim in each.aims]
    fitting = sum(each.aims[fit.aim].fits for each in told)
    parts = [
        f"{fit.model}: fits {fitting} of {len(told)} boards, optimized for {fit.aim}, {fit.compiler} (predicted)",
        render_table(_HEADERS, rows),
    ]
    if others := list(_other_aims(fit)):
        headers = ("core", "aim", "flash", "RAM", "instructions", "fits")
        parts.append(f"beside {fit.aim}:\n" + render_table(headers, others))
    if energies := list(_energies(fit, duty)):
        parts.append(render_table(("board", "energy of an inference", "battery")[: len(energies[0])], energies))
    if advice := [(each.board.name, "; or ".join(each.advice)) for each in fit.boards if each.advice]:
        parts.append(render_table(("board", "what would make it fit"), advice))
    if budgets := [(board, str(line)) for board, lines in budget_of(fit) for line in lines]:
        parts.append(render_table(("board", "budget"), budgets))
    parts.append("\n".join(f"note: {note}" for note in notes_of(fit)))
    return "\n\n".join(part for part in parts if part) + "\n"


def _in_order(fit: Fit) -> list[BoardFit]:
    def key(each: BoardFit) -> tuple[int, str]:
        aim = each.aims.get(fit.aim)
        return (2 if aim is None else 0 if aim.fits else 1), each.board.name

    return sorted(fit.boards, key=key)


def _row(each: BoardFit, asked: str) -> tuple[Cell, ...]:
    aim = each.aims.get(asked)
    if aim is None:
        return each.board.name, "unknown", None, None, None, None
    name, share = tightest(each, aim)
    tight = f", {name} {100 * share:.0f} %" if name else ""
    return (
        each.board.name,
        ("yes" if aim.fits else "no") + tight,
        aim.flash_room_bytes,
        aim.ram_room_bytes,
        format_count(aim.instructions.value),
        _time(aim),
    )


def _time(aim: AimFit) -> str:
    """A time where the board is calibrated, or two bounds; else cycles; else nothing."""
    if aim.latency_us is not None:
        return format_range(aim.latency_us, format_time)
    if aim.cycles is not None:
        return format_range(aim.cycles, format_count)
    return "unknown"


def format_count(count: float) -> str:
    """A large number in the unit that reads best.

    >>> format_count(812), format_count(8123), format_count(2_951_640)
    ('812', '8.12 k', '2.95 M')
    """
    if count >= _MEGA:
        return f"{count / _MEGA:,.2f} M"
    return f"{count / _KILO:.2f} k" if count >= _KILO else f"{count:.0f}"


def tightest(each: BoardFit, aim: AimFit) -> tuple[str, float]:
    """(the memory of which the largest share is used, that share); no name where nothing is known."""
    found = aim.prediction
    if found.flash_bytes is None or found.ram_bytes is None:
        return "", 0.0
    shares = (
        ("flash", found.flash_bytes / each.board.flash_limit_bytes),
        ("RAM", found.ram_bytes / each.board.ram.size_bytes),
    )
    return max(shares, key=lambda pair: pair[1])


def _other_aims(fit: Fit) -> Iterator[tuple[Cell, ...]]:
    """What other aims change: the same on all boards of a core."""
    cores: dict[str, list[BoardFit]] = {}
    for each in fit.boards:
        if fit.aim in each.aims:
            cores.setdefault(each.board.core.name, []).append(each)
    for core, boards in cores.items():
        asked = boards[0].aims[fit.aim]
        for name, aim in boards[0].aims.items():
            if name == fit.aim or aim.prediction == asked.prediction:
                continue
            count = sum(each.aims[name].fits for each in boards)
            yield (
                core,
                name,
                _more(aim.prediction.flash_bytes, asked.prediction.flash_bytes),
                _more(aim.prediction.ram_bytes, asked.prediction.ram_bytes),
                f"{100 * (aim.instructions.value / max(asked.instructions.value, 1) - 1):+.0f} %",
                f"{count} of {len(boards)}",
            )


def _more(bytes_: int | None, than: int | None) -> str:
    return "unknown" if bytes_ is None or than is None else f"{bytes_ - than:+,} B"


def _energies(fit: Fit, duty: Duty | None) -> Iterator[tuple[Cell, ...]]:
    for each in _in_order(fit):
        aim = each.aims.get(fit.aim)
        if aim is None or aim.energy_uj is None:
            continue
        row: tuple[Cell, ...] = each.board.name, f"{aim.energy_uj.value:,.4g} uJ ({describe_kind(aim.energy_uj)})"
        if duty is not None:
            days = _days(each, aim, duty)
            row = (*row, "too slow for that" if days is None else life_text(days.value))
        yield row


def _days(each: BoardFit, aim: AimFit, duty: Duty | None) -> Figure | None:
    """How long a battery lasts. None where it is unknown, or the board is too slow for the duty."""
    if duty is None or aim.energy_uj is None or aim.latency_us is None:
        return None
    try:
        return life_days(each.board, aim.energy_uj, aim.latency_us, duty, "predicted")
    except UsageError:
        return None


def budget_of(fit: Fit) -> list[tuple[str, tuple[BudgetLine, ...]]]:
    """For each board that has a budget its figures, each compared with what is predicted."""
    found = []
    for each in fit.boards:
        aim = each.aims.get(fit.aim)
        if fit.budget is None or aim is None:
            continue
        known = {
            "flash_bytes": aim.prediction.flash_bytes,
            "ram_bytes": aim.prediction.ram_bytes,
            "arena_bytes": aim.prediction.arena_bytes,
            "instructions": aim.instructions.value,
            "cycles": None if aim.cycles is None else aim.cycles.value,
        }
        if lines := budget_lines(fit.budget, each.board.name, fit.compiler, known):
            found.append((each.board.name, lines))
    return found


def notes_of(fit: Fit) -> list[str]:
    """What figures leave out, and how far they may be off."""
    found = [aim for each in fit.boards for aim in each.aims.values()]
    notes = [*fit.notes, *(f"`{each.board.name}`: {each.refused}" for each in fit.boards if each.refused)]
    if not found:
        return notes
    instructions = max(aim.prediction.instructions_error_percent for aim in found)
    flash = max(aim.prediction.flash_error_percent for aim in found)
    notes.append(
        f"predicted without a build: instructions within {instructions:g} %, flash within {flash:g} % on the models "
        "that were counted, RAM to the byte; docs/fit.md has the errors of each"
    )
    if any(aim.cycles is not None and aim.cycles.at_zero_wait_states for aim in found):
        notes.append("cycles are of the pipeline at zero wait states: these boards were never compared with silicon")
    uncounted = dict.fromkeys(name for aim in found for name in aim.prediction.uncounted)
    if uncounted:
        names = ", ".join(f"`{name}`" for name in uncounted)
        notes.append(f"nobody counted {names} yet: what they take is the planner's estimate, and can be off by half")
    return notes


def fit_document(fit: Fit, duty: Duty | None = None) -> dict[str, Any]:
    """`tinyedge.fit/1`."""
    return {
        "schema": SCHEMA,
        "model": {"name": fit.model, "digest": fit.model_digest},
        "compiler": fit.compiler,
        "optimize": fit.aim,
        "boards": [_board_document(each, fit.aim, duty) for each in fit.boards],
        "notes": notes_of(fit),
    }


def _board_document(each: BoardFit, asked: str, duty: Duty | None) -> dict[str, Any]:
    aim = each.aims.get(asked)
    body: dict[str, Any] = {
        "name": each.board.name,
        "core": each.board.core.name,
        "fits": None if aim is None else aim.fits,
        "refused": each.refused or None,
    }
    if aim is None:
        return body
    name, share = tightest(each, aim)
    days = _days(each, aim, duty)
    return {
        **body,
        **_aim_document(each, aim),
        "tightest": {"memory": name or None, "share": round(share, 4)},
        "battery_days": None if days is None else days.to_json(),
        "aims": {other: _aim_document(each, found) for other, found in each.aims.items()},
        "advice": list(each.advice),
    }


def _aim_document(each: BoardFit, aim: AimFit) -> dict[str, Any]:
    found = aim.prediction
    return {
        "fits": aim.fits,
        "flash_bytes": found.flash_bytes,
        "flash_limit_bytes": each.board.flash_limit_bytes,
        "flash_left_bytes": aim.flash_room_bytes,
        "flash_error_percent": found.flash_error_percent,
        "ram_bytes": found.ram_bytes,
        "ram_limit_bytes": each.board.ram.size_bytes,
        "ram_left_bytes": aim.ram_room_bytes,
        "arena_bytes": found.arena_bytes,
        "state_bytes": found.state_bytes,
        "constant_bytes": found.constant_bytes,
        "instructions": aim.instructions.to_json(),
        "cycles": _figure(aim.cycles),
        "cycles_at_zero_wait_states": aim.cycles is not None and aim.cycles.at_zero_wait_states,
        "latency_us": _figure(aim.latency_us),
        "energy_uj": _figure(aim.energy_uj),
        "uncounted_kernels": list(found.uncounted),
    }


def _figure(figure: Figure | None) -> dict[str, Any]:
    return {"kind": None, "value": None} if figure is None else figure.to_json()
