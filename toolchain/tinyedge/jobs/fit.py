"""Every board at once: which of them a model fits, and what it takes there, before anything is compiled."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import cast, get_args

from tinyedge.artifacts import Observer, Optimize
from tinyedge.artifacts.prediction import AimFit, BoardFit, Fit
from tinyedge.boards import CORES, Board, Isa, list_boards, load_board
from tinyedge.cost.fit import fit_plan
from tinyedge.cost.rates import base_of, has_rates
from tinyedge.emulate.cycles import MODELS
from tinyedge.errors import FitError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.jobs.budget import find_budget
from tinyedge.jobs.choices import PORTABLE_BOARD, Choices
from tinyedge.jobs.train import load_model
from tinyedge.ops import check
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import PlansOf, check_sizes
from tinyedge.systems import end_at_once

AIMS = cast(Sequence[Optimize], get_args(Optimize))
_PLANNED_ALIKE = {"cortex-m33f": "cortex-m4f", "rv32imac": "rv32imc"}
"""cores for which kernels say the same, so that plans are the same"""
_LONGEST = ("cortex-m4f", "cortex-m0plus", "cortex-m7f", "cortex-m55")
"""cores that take the longest to plan for"""
_LARGE = 20
"""operators, from which on several processes save time"""
_NARROW = 0.5
"""weights of 4 bits take so much of those of 8"""


def fit(choices: Choices, observer: Observer, boards: Sequence[str] = ()) -> Fit:
    """All boards, or those named.

    Raises: ModelError when the model does not run; UsageError when there is no such board
    """
    loaded = load_model(choices.model, choices.build_dir, observer, choices.data, choices.conversion)
    aim = cast(Optimize, choices.optimize or loaded.optimize)
    model = loaded.model
    original = read_model(model.tflite, model.name)
    check_sizes(original, load_board(PORTABLE_BOARD))
    graph = settle_graph(original)
    check(graph)
    graph = optimize_graph(graph)
    chosen = [load_board(name) for name in boards] or list(list_boards())
    max_ram = choices.max_ram_bytes if choices.max_ram_bytes is not None else loaded.max_ram_bytes
    refused = {board.name: reason for board in chosen if (reason := _refusal(board, choices.compiler))}
    task = _Task(model.tflite, model.name, choices.compiler, aim, max_ram, choices.keep_inputs, choices.input_rows)
    cores: dict[str, list[str]] = {}
    for board in chosen:
        if board.name not in refused:
            cores.setdefault(_PLANNED_ALIKE.get(board.core.name, board.core.name), []).append(board.name)
    told = _on_cores(task, cores, graph, observer)
    found = [
        BoardFit(board, {}, refused[board.name]) if board.name in refused else BoardFit(board, *told[board.name])
        for board in chosen
    ]
    notes = []
    if model.features is not None:
        notes.append("what computes the features on the device is not in flash, RAM and instructions")
    budget = find_budget(loaded, choices)
    return Fit(model.name, model.digest, choices.compiler, aim, _with_boards(found, aim), tuple(notes), budget)


def _refusal(board: Board, compiler: str) -> str:
    """Why nothing is predicted for a board; empty when something is."""
    if board.core.isa is Isa.NATIVE:
        return "this computer: it has no limits, and nothing counts its instructions"
    if not has_rates(board.core.name, compiler):
        return f"`{compiler}` does not build for the core `{board.core.name}`"
    if base_of(board.name, compiler) is None:
        return "no firmware of this board was ever measured: `tinyedge build` tells its sizes"
    return ""


@dataclass(frozen=True)
class _Task:
    """What boards are asked for, as it may go to another process."""

    tflite: bytes
    name: str
    compiler: str
    aim: Optimize
    max_ram_bytes: int | None
    keep_inputs: bool
    input_rows: bool


Told = tuple[dict[str, AimFit], str, tuple[str, ...]]
"""of a board: its aims, why there are none, what would make it fit"""


@dataclass(frozen=True)
class _Planning:
    """A task and the graph to plan."""

    task: _Task
    graph: Graph

    def on_core(self, core: str, boards: Sequence[str]) -> dict[str, Told]:
        """What is to be said of the boards of a core, by name."""
        plans = PlansOf(self.graph, CORES[core], keep_inputs=self.task.keep_inputs, input_rows=self.task.input_rows)
        return {name: _on_board(plans, load_board(name), self.task) for name in boards}


def _on_cores(task: _Task, cores: Mapping[str, Sequence[str]], graph: Graph, observer: Observer) -> dict[str, Told]:
    """What is to be said of boards by name. For a large model, cores are planned for side by side."""
    workers = min(os.cpu_count() or 1, len(cores))
    if workers < 2 or len(graph.operators) < _LARGE:
        with observer.progress("plan"):
            planning = _Planning(task, graph)
            return {
                name: told for core, boards in cores.items() for name, told in planning.on_core(core, boards).items()
            }
    # A copy of this process knows the graph and need not import anything, but threads do not come along.
    by_copy = sys.platform == "linux" and threading.active_count() == 1
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("fork" if by_copy else "spawn"),
        initializer=_begin,
        initargs=(task, graph if by_copy else None),
    )
    try:
        longest_first = sorted(cores, key=lambda core: _LONGEST.index(core) if core in _LONGEST else len(_LONGEST))
        asked = [pool.submit(_plan_core, core, cores[core]) for core in longest_first]
        with observer.progress("plan"):
            return {name: told for each in asked for name, told in each.result().items()}
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


_planning: list[_Planning] = []
"""of this process, where it is a worker"""


def _begin(task: _Task, graph: Graph | None) -> None:
    """Make this process a worker."""
    end_at_once()
    if graph is None:
        graph = optimize_graph(settle_graph(read_model(task.tflite, task.name)))
    _planning[:] = [_Planning(task, graph)]


def _plan_core(core: str, boards: Sequence[str]) -> dict[str, Told]:
    return _planning[0].on_core(core, boards)


def _on_board(plans: PlansOf, board: Board, task: _Task) -> Told:
    timing = MODELS.get(board.core.name)
    error = None if timing is None else timing.error_percent

    def at(optimize: Optimize, bytes_: int | None = None) -> AimFit:
        return fit_plan(plans.plan(optimize, bytes_), board, task.compiler, error)

    if task.max_ram_bytes is not None:
        try:
            return {task.aim: at(task.aim, task.max_ram_bytes)}, "", ()
        except FitError as refused:
            return {}, str(refused), ()
    aims: dict[str, AimFit] = {each: at(each) for each in AIMS}
    return aims, "", tuple(_advice(aims, task.aim, at))


def _advice(aims: Mapping[str, AimFit], aim: Optimize, at: Callable[[Optimize, int], AimFit]) -> Iterable[str]:
    """What would make it fit, the cheapest first."""
    if aims[aim].fits:
        return
    others = [each for each in AIMS if aims[each].fits]
    if others:
        yield f"`--optimize {others[0]}`"
        return
    least = min(aims.values(), key=lambda each: each.over_bytes)
    ram, flash = least.ram_room_bytes or 0, least.flash_room_bytes or 0
    if ram < 0:
        budget = least.prediction.arena_bytes + least.prediction.state_bytes + ram
        if budget > 0:
            try:
                within = at(aim, budget)
                if within.fits:
                    yield f"`--max-ram {budget}`"
                    return
            except FitError:
                pass
    if flash < 0:
        saved = int(least.prediction.constant_bytes * (1 - _NARROW))
        if flash + saved >= 0 <= ram:
            yield f"weights of 4 bits: about {saved:,} B of flash less"


def _with_boards(found: Sequence[BoardFit], aim: str) -> tuple[BoardFit, ...]:
    """Boards that it does not fit, with the smallest one that it fits."""
    fitting = [each for each in found if aim in each.aims and each.aims[aim].fits]
    smallest = min(fitting, key=lambda each: (each.board.ram.size_bytes, each.board.flash_limit_bytes), default=None)
    if smallest is None:
        return tuple(found)
    advice = f"a larger board: `{smallest.board.name}`"
    return tuple(
        replace(each, advice=(*each.advice, advice)) if aim in each.aims and not each.aims[aim].fits else each
        for each in found
    )
