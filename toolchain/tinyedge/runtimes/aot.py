"""The runtime `aot`: the graph becomes C, weights lie as its kernels want them, the arena is planned to the byte."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from tinyedge.artifacts import Built, Observer, Optimize, Plan, Prepared, QuantizedModel
from tinyedge.boards import Board
from tinyedge.build import build_image, make_flags
from tinyedge.errors import InternalError
from tinyedge.generate import generate_project
from tinyedge.graph.reader import read_model
from tinyedge.measure.reference import choose_reference, selftest_crc
from tinyedge.ops import check
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.optimize.fold_islands import island_notes
from tinyedge.plan import check_fits, check_sizes, make_plan
from tinyedge.plan.floats import float_notes
from tinyedge.runtimes.contract import expected_folder


class AotRuntime:
    """The runtime `aot`."""

    name: ClassVar[str] = "aot"
    has_budgets: ClassVar[bool] = True

    def prepare(
        self, model: QuantizedModel, board: Board, optimize: Optimize, build_dir: Path, observer: Observer
    ) -> Prepared:
        """Graph and plan. Raises: ModelError, FitError."""
        original = read_model(model.tflite, model.name)
        check_sizes(original, board)
        graph = settle_graph(original)
        check(graph)
        plan = make_plan(optimize_graph(graph), board.core, optimize)
        check_fits(plan, board)
        _tell(plan, observer)
        notes = (*island_notes(original, graph), *float_notes(plan))
        reference = choose_reference(model, original, graph, expected_folder(build_dir, model), notes)
        return Prepared(model, board, self.name, original, plan, plan, reference)

    def build(self, prepared: Prepared, compiler: str, build_dir: Path, observer: Observer) -> Built:
        """In `<model>/<board>-<compiler>`. Raises: ToolError, FitError, UsageError."""
        model, board, plan = prepared.model, prepared.board, prepared.memory
        if plan is None:
            raise InternalError(f"model `{model.name}` was prepared for the runtime `{prepared.runtime}`")
        project = generate_project(
            plan, model, board, selftest_crc=selftest_crc(plan.graph), make_flags=make_flags(board)
        )
        folder = build_dir / model.name / f"{board.name}-{compiler}"
        with observer.progress("compile") as report:
            image = build_image(project, folder, compiler, progress=report)
        return Built(prepared, project, folder, image)


def _tell(plan: Plan, observer: Observer) -> None:
    """Which kernels were considered for each layer."""
    for planned in plan.layers:
        observer.detail(f"layer {planned.layer.index} {planned.layer.name}: {planned.kernel.name}")
        for name, reason in planned.considered:
            observer.detail(f"    {name}: {reason}")
