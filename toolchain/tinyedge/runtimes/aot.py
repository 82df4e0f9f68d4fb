"""The runtime `aot`: the graph becomes C, weights lie as its kernels want them, the arena is planned to the byte."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from tinyedge.artifacts import Built, Observer, Optimize, Plan, Prepared, Protocols, QuantizedModel
from tinyedge.boards import Board
from tinyedge.build import build_image, make_flags
from tinyedge.errors import InternalError
from tinyedge.generate.joint import PlannedModel
from tinyedge.generate.project import generate_joint_project
from tinyedge.graph.reader import read_model
from tinyedge.measure.reference import choose_reference, selftest_crc
from tinyedge.ops import check
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.optimize.fold_islands import island_notes
from tinyedge.plan import check_fits, check_sizes, make_plan
from tinyedge.plan.floats import float_notes
from tinyedge.runtimes.contract import expected_folder, joint_name


class AotRuntime:
    """The runtime `aot`."""

    name: ClassVar[str] = "aot"
    has_budgets: ClassVar[bool] = True

    def prepare(
        self,
        model: QuantizedModel,
        board: Board,
        optimize: Optimize,
        build_dir: Path,
        observer: Observer,
        *,
        keep_inputs: bool = False,
        max_ram_bytes: int | None = None,
        input_rows: bool = False,
    ) -> Prepared:
        """Graph and plan. Raises: ModelError, FitError."""
        original = read_model(model.tflite, model.name)
        check_sizes(original, board)
        graph = settle_graph(original)
        check(graph)
        with observer.progress("plan"):
            plan = make_plan(
                optimize_graph(graph),
                board.core,
                optimize,
                keep_inputs=keep_inputs,
                max_ram_bytes=max_ram_bytes,
                input_rows=input_rows,
            )
        check_fits(plan, board)
        _tell(plan, observer)
        notes = (*island_notes(original, graph), *float_notes(plan))
        reference = choose_reference(model, original, graph, expected_folder(build_dir, model), notes)
        return Prepared(model, board, self.name, original, plan, plan, reference)

    def build(
        self,
        prepared: Prepared,
        compiler: str,
        build_dir: Path,
        observer: Observer,
        *,
        protocol: Protocols = "tinyedge",
    ) -> Built:
        """In `<model>/<board>-<compiler>`, with another protocol `-<protocol>` behind it.

        Raises: ToolError, FitError, UsageError
        """
        (built,) = self._build([prepared], compiler, build_dir, observer, shared_arena=False, protocol=protocol)
        return replace(built, model_index=None)

    def build_joint(
        self, prepared: Sequence[Prepared], compiler: str, build_dir: Path, observer: Observer, *, shared_arena: bool
    ) -> tuple[Built, ...]:
        """In `<a>+<b>/<board>-<compiler>`. Raises: ToolError, FitError, UsageError."""
        return self._build(prepared, compiler, build_dir, observer, shared_arena=shared_arena, protocol="tinyedge")

    def _build(
        self,
        prepared: Sequence[Prepared],
        compiler: str,
        build_dir: Path,
        observer: Observer,
        *,
        shared_arena: bool,
        protocol: Protocols,
    ) -> tuple[Built, ...]:
        board = prepared[0].board
        models = [_planned_model(each) for each in prepared]
        project = generate_joint_project(
            models,
            board,
            make_flags=make_flags(board),
            shared_arena=shared_arena,
            for_runner=protocol == "mlperf",
        )
        behind = "" if protocol == "tinyedge" else f"-{protocol}"
        folder = build_dir / joint_name([each.model.name for each in prepared]) / f"{board.name}-{compiler}{behind}"
        with observer.progress("compile") as report:
            image = build_image(project, folder, compiler, progress=report)
        return tuple(
            Built(each, project, folder, image, model_index=i, model_count=len(prepared))
            for i, each in enumerate(prepared)
        )


def _planned_model(prepared: Prepared) -> PlannedModel:
    if prepared.memory is None:
        raise InternalError(f"model `{prepared.model.name}` was prepared for the runtime `{prepared.runtime}`")
    return PlannedModel(prepared.memory, prepared.model, selftest_crc(prepared.memory.graph))


def _tell(plan: Plan, observer: Observer) -> None:
    """Which kernels were considered for each layer."""
    for planned in plan.layers:
        observer.detail(f"layer {planned.layer.index} {planned.layer.name}: {planned.kernel.name}")
        for name, reason in planned.considered:
            observer.detail(f"    {name}: {reason}")
