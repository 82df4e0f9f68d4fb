"""`python -m benchmarks.ram_curves MODEL...`: RAM against time as pictures, and the boards that streams of rows add.

A model fits a board when its arena and state, with what the firmware needs besides, are no more than the board's RAM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tinyedge.artifacts import Plan
from tinyedge.boards import Board, Core, list_boards
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.paths import write_whole
from tinyedge.plan import make_plan, plan_curve
from tinyedge.plan.fit import constant_bytes
from tinyedge.report.curve import curve_svg

FIRMWARE_RAM_BYTES = 3072
"""stack and variables of the measuring firmware"""
FIRMWARE_FLASH_BYTES = 10_240
"""its code, without that of the model"""


@dataclass(frozen=True)
class Fit:
    """Least RAM of arena and state on the boards of one core, and which boards hold it with the firmware."""

    whole_bytes: int
    rows_bytes: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def board_fits(graph: Graph, core: Core, boards: Sequence[Board], *, input_rows: bool = False) -> Fit:
    """Which boards with that core a model fits, without streams and with them.

    input_rows  with streams the input comes row by row; it lies in RAM whole without
    """
    whole = make_plan(graph, core, "size", by_rows=False)
    curve = plan_curve(graph, core, input_rows=input_rows)
    whole_bytes = whole.arena_bytes + whole.state_bytes
    plans = [(point.arena_bytes, point.flash_bytes) for point in curve.points if point.groups]
    before = _holding(boards, core, [(whole_bytes, flash_bytes(whole))])
    after = _holding(boards, core, plans)
    return Fit(whole_bytes, min((ram for ram, _ in plans), default=whole_bytes), before, after)


def flash_bytes(plan: Plan) -> int:
    """Code and constants, as the planner estimates them."""
    costs = [planned.cost for planned in plan.layers]
    shared = {name: size for cost in costs for name, size in cost.shared_code}
    return constant_bytes(plan) + sum(cost.code_bytes for cost in costs) + sum(shared.values())


def _holding(boards: Sequence[Board], core: Core, plans: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """The boards with a core that hold one of some plans, given as (bytes of RAM, bytes of flash)."""
    return tuple(
        board.name
        for board in boards
        if board.core.name == core.name
        and board.memories
        and any(
            ram + FIRMWARE_RAM_BYTES <= board.ram.size_bytes and flash + FIRMWARE_FLASH_BYTES <= board.flash.size_bytes
            for ram, flash in plans
        )
    )


@click.command(epilog="Example: python -m benchmarks.ram_curves ../shared/models --pictures docs/images")
@click.argument("models", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path), help="Draw the curves into this folder.")
@click.option("--core", "core_names", default=("cortex-m4f",), show_default=True, multiple=True, help="To run on.")
@click.option("--input", "arrives", type=click.Choice(["whole", "rows"]), default="whole", help="How the input comes.")
def main(models: tuple[Path, ...], pictures: Path | None, core_names: tuple[str, ...], arrives: str) -> None:
    """Print which boards MODELS fit with and without streams of rows; draw RAM against time on the first core."""
    boards = list_boards()
    cores = {board.core.name: board.core for board in boards if board.memories}
    rows = arrives == "rows"
    click.echo("| model | core | least arena, whole | by rows | boards that it fits now alone |")
    click.echo("|---|---|--:|--:|---|")
    for path in models:
        for file in sorted(path.glob("*.tflite")) if path.is_dir() else [path]:
            try:
                graph = optimize_graph(settle_graph(read_model(file.read_bytes(), file.stem)))
                if pictures is not None:
                    picture = curve_svg(plan_curve(graph, cores[core_names[0]], input_rows=rows))
                    write_whole(pictures / f"rows-{file.stem}.svg", picture.encode())
                for name in core_names:
                    fit = board_fits(graph, cores[name], boards, input_rows=rows)
                    gained = ", ".join(sorted({*fit.after} - {*fit.before})) or "none"
                    click.echo(f"| {file.stem} | {name} | {fit.whole_bytes:,} B | {fit.rows_bytes:,} B | {gained} |")
            except ModelError as error:
                click.echo(f"{file.stem}: {error.what}", err=True)


if __name__ == "__main__":
    main()
