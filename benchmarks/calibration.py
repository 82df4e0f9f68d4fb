"""Published silicon against modelled cycles: the fit of each board's constants, and how well they predict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyedge.report.table import Cell, render_table
from tinyedge.tables import read_table, read_toml
from tinyedge.timing.calibration import ErrorSummary, Event, Fit, Observation, fit, leave_one_out

FOLDER = Path(__file__).with_name("calibrations")


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network as it was published, and what its firmware, built again, counts in one inference."""

    name: str
    flags: str
    """of the compiler"""
    fitted: bool
    """whether constants are found from it; they predict the others"""
    published_ms: float
    instructions: int
    pipeline_cycles: int
    code_misses: int
    data_misses: int
    code_lines: int


@dataclass(frozen=True, kw_only=True)
class Published:
    """One file of calibrations/."""

    board: str
    clock_hz: int
    constants: tuple[Event, ...]
    """what takes time on this board"""
    networks: tuple[Network, ...]

    def observation(self, network: Network) -> Observation:
        return Observation(
            name=network.name,
            measured_cycles=network.published_ms * self.clock_hz / 1000,
            pipeline_cycles=network.pipeline_cycles,
            code_misses=network.code_misses,
            data_misses=network.data_misses,
            code_lines=network.code_lines,
        )


@dataclass(frozen=True)
class Compared:
    """One network by the constants of its board."""

    network: Network
    published_cycles: float
    modelled_cycles: float
    error: float
    left_out_error: float | None
    """with constants fitted to the others; None for a network that none were fitted to"""
    pipeline_error: float
    """of the pipeline model alone"""


@dataclass(frozen=True)
class Calibrated:
    """A board's constants, and every network by them."""

    published: Published
    fit: Fit
    rows: tuple[Compared, ...]

    @property
    def left_out(self) -> ErrorSummary:
        return ErrorSummary.of([row.left_out_error for row in self.rows if row.left_out_error is not None])

    @property
    def pipeline_alone(self) -> ErrorSummary:
        return ErrorSummary.of([row.pipeline_error for row in self.rows if row.network.fitted])

    @property
    def predicted(self) -> ErrorSummary | None:
        """Of networks that nothing was fitted to; None without any."""
        errors = [row.error for row in self.rows if not row.network.fitted]
        return ErrorSummary.of(errors) if errors else None


def read_published() -> list[Published]:
    """All files of calibrations/, by name. Raises: TableError"""
    return [read_table(Published, read_toml(path), path.name) for path in sorted(FOLDER.glob("*.toml"))]


def calibrate(published: Published) -> Calibrated:
    """Fit the constants to the networks that are for it, and predict all."""
    fitted = [published.observation(network) for network in published.networks if network.fitted]
    found = fit(fitted, published.constants)
    left_out = iter(leave_one_out(fitted, published.constants))
    rows = []
    for network in published.networks:
        seen = published.observation(network)
        rows.append(
            Compared(
                network,
                seen.measured_cycles,
                found.predict(seen),
                found.error(seen),
                next(left_out) if network.fitted else None,
                seen.pipeline_cycles / seen.measured_cycles - 1,
            )
        )
    return Calibrated(published, found, tuple(rows))


def render(boards: list[Calibrated]) -> str:
    """A table of networks for each board, with its constants and summaries."""
    return "\n\n".join(_render(board) for board in boards)


def _render(board: Calibrated) -> str:
    published = board.published
    headers = ("network", "flags", "published ms", "modelled ms", "error", "left out", "pipeline alone")
    rows: list[tuple[Cell, ...]] = [
        (
            row.network.name,
            row.network.flags,
            f"{row.network.published_ms:.4g}",
            f"{row.modelled_cycles * 1000 / published.clock_hz:.4g}",
            _percent(row.error),
            "-" if row.left_out_error is None else _percent(row.left_out_error),
            _percent(row.pipeline_error),
        )
        for row in board.rows
    ]
    constants = ", ".join(f"{cycles:.2f} cycles for each of {event}" for event, cycles in board.fit.cycles.items())
    lines = [f"{published.board}: {constants}", "", render_table(headers, rows), ""]
    summaries = [("one left out", board.left_out), ("pipeline alone", board.pipeline_alone)]
    if board.predicted is not None:
        summaries.insert(1, ("not fitted", board.predicted))
    lines += [
        f"{name}: mean {each.mean:.1f} %, largest {each.largest:.1f} %, bias {each.bias:+.1f} %"
        for name, each in summaries
    ]
    return "\n".join(lines)


def document(boards: list[Calibrated]) -> dict[str, Any]:
    """`tinyedge.calibrations/1`: the same."""
    return {
        "schema": "tinyedge.calibrations/1",
        "boards": [
            {
                "board": board.published.board,
                "clock_hz": board.published.clock_hz,
                "cycles": dict(board.fit.cycles),
                "left_out_percent": dataclasses.asdict(board.left_out.rounded()),
                "not_fitted_percent": None
                if board.predicted is None
                else dataclasses.asdict(board.predicted.rounded()),
                "pipeline_alone_percent": dataclasses.asdict(board.pipeline_alone.rounded()),
                "networks": [
                    dataclasses.asdict(row.network)
                    | {
                        "modelled_cycles": row.modelled_cycles,
                        "error": row.error,
                        "left_out_error": row.left_out_error,
                        "pipeline_error": row.pipeline_error,
                    }
                    for row in board.rows
                ],
            }
            for board in boards
        ],
    }


def _percent(error: float) -> str:
    return f"{100 * error:+.1f} %"
