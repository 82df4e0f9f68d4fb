"""Random models held against TensorFlow Lite Micro at every stage; what fails is kept with its number and its file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from kits.graph_batch import NATIVE, CoreBatch, NativeBatch, Outcome, layer_tensors
from kits.oracle_batch import run_oracle_batch
from kits.random_graph import RandomModel
from kits.stored_weights import STORED_FIRST, stores
from tinyedge.artifacts import Optimize, Plan
from tinyedge.boards import CORES, Core
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.kernels.contract import Kernel
from tinyedge.measure.oracle_limits import beyond_oracle
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan, verify_plan

Array = npt.NDArray[Any]
Sample = tuple[Array, ...]
SAMPLES = 4
M4 = CORES["cortex-m4f"]
LEVELS: tuple[Optimize, ...] = get_args(Optimize)
OTHERS: tuple[tuple[str, Optimize], ...] = (
    ("cortex-m0plus", "balanced"),
    ("cortex-m0plus", "speed"),
    ("cortex-m3", "balanced"),
    ("rv32imc", "balanced"),
)
"""cores with kernels of their own, and what to optimize for"""
STORING = ("cortex-m4f", "cortex-m0plus", "rv32imc")
"""cores on which weights are stored in fewer bytes wherever that can be, whatever it costs"""
_BATCH = 100
"""graphs in one program"""


@dataclass(frozen=True)
class Failure:
    """Where a model went wrong, and how."""

    model: RandomModel
    stage: str
    detail: str

    def save(self, folder: Path) -> str:
        """Write the model and its inputs below `folder`; gives what to print."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"seed{self.model.seed}_number{self.model.number}.tflite"
        path.write_bytes(self.model.tflite)
        rows = self.model.samples(SAMPLES)
        np.savez(path.with_suffix(".npz"), *(np.stack(column) for column in zip(*rows, strict=True)))
        return (
            f"{self.model.title} ({', '.join(self.model.operators)})\n"
            f"  {self.stage}: {self.detail}\n  saved as {path} with its inputs in {path.with_suffix('.npz').name}"
        )


@dataclass(frozen=True, eq=False)
class _Case:
    """A model that came through so far."""

    model: RandomModel
    optimized: Graph
    samples: list[Sample]
    expected: list[Sample]
    """outputs of the interpreter, per sample"""


def check_models(models: Sequence[RandomModel], folder: Path, *, every: int = 4, others: bool = False) -> list[Failure]:
    """Hold models against the interpreter: reference, passes, plans, C on this machine, and one in `every` on the M4.

    others  as many on the cores of `OTHERS`, each its own

    A model that fails a stage does not go on to the next.
    """
    failures: list[Failure] = []
    for start in range(0, len(models), _BATCH):
        batch = models[start : start + _BATCH]
        cases = _check_numpy(batch, folder / f"oracle{start}", failures)
        _check_native(cases, folder / f"native{start}", failures)
        failed = {failure.model.number for failure in failures}
        shared = [case for case in cases[::every] if case.model.number not in failed]
        for level in LEVELS:
            _check_core(shared, M4, level, folder / f"{level}{start}", failures)
        for at, (name, level) in enumerate(OTHERS if others else ()):
            some = [case for case in cases[(at + 1) % every :: every] if case.model.number not in failed]
            _check_core(some, CORES[name], level, folder / f"{name}_{level}{start}", failures)
    return failures


def check_stored(models: Sequence[RandomModel], folder: Path) -> tuple[list[Failure], dict[str, set[str]]]:
    """Hold models against the interpreter, weights in fewer bytes wherever that can be; and the forms by core."""
    failures: list[Failure] = []
    forms: dict[str, set[str]] = {}
    cases = _check_numpy(models, folder / "oracle", failures)
    for name in STORING:
        stored = [case for case in cases if stores(case.optimized, CORES[name])]
        _check_core(stored, CORES[name], "balanced", folder / name, failures, STORED_FIRST)
        plans = [make_plan(case.optimized, CORES[name], "balanced", kernels=STORED_FIRST) for case in stored]
        costs = [planned.cost for plan in plans for planned in plan.layers]
        forms[name] = {cost.storage.form for cost in costs if cost.storage is not None}
    return failures, forms


# -- stages ----------------------------------------------------------------------------------------------------------


def _check_numpy(models: Sequence[RandomModel], folder: Path, failures: list[Failure]) -> list[_Case]:
    """The reference equals the interpreter, the passes keep the outputs.

    What TensorFlow Lite Micro does not take has to compute what the reference of its graph as it is does.
    """
    rows = [model.samples(SAMPLES) for model in models]
    taken = [not beyond_oracle(read_model(m.tflite, m.title), m.graph) for m in models]
    asked = [(m.tflite, r) for m, r, takes in zip(models, rows, taken, strict=True) if takes]
    said = iter(run_oracle_batch(asked, folder))
    answers = [
        next(said) if takes else _reference(model.graph, samples)
        for model, samples, takes in zip(models, rows, taken, strict=True)
    ]
    cases = []
    for model, samples, expected in zip(models, rows, answers, strict=True):
        if isinstance(expected, str):
            failures.append(Failure(model, "tflite-micro", expected))
            continue
        wrong = _compare(model.graph, samples, expected)
        stage = "reference differs from tflite-micro"
        optimized = model.graph
        if not wrong:
            stage = "outputs differ after the passes"
            try:
                optimized = optimize_graph(settle_graph(model.graph))
                wrong = _compare(optimized, samples, expected)
            except Exception as error:  # whatever it is, it belongs to this model
                wrong = f"{type(error).__name__}: {error}"
        else:
            wrong = _first_wrong(model, samples, folder / f"all{model.number}") or wrong
        if wrong:
            failures.append(Failure(model, stage, wrong))
        else:
            cases.append(_Case(model, optimized, samples, expected))
    return cases


def _reference(graph: Graph, samples: Sequence[Sample]) -> list[Sample]:
    """The outputs by numpy, sample after sample."""
    layers, state = parse_graph(graph), initial_state(graph)
    values = [run_graph(graph, sample, layers, state) for sample in samples]
    return [tuple(found[key] for key in graph.outputs) for found in values]


def _compare(graph: Graph, samples: Sequence[Sample], expected: Sequence[Sample]) -> str:
    """Empty when numpy gives the expected outputs, sample after sample; otherwise where it does not."""
    layers = parse_graph(graph)
    state = initial_state(graph)
    for number, (sample, wanted) in enumerate(zip(samples, expected, strict=True)):
        values = run_graph(graph, sample, layers, state)
        wrong = _differing(graph, [values[key] for key in graph.outputs], wanted)
        if wrong:
            return f"sample {number}: {wrong}"
    return ""


def _first_wrong(model: RandomModel, samples: Sequence[Sample], folder: Path) -> str:
    """Where the reference first leaves the interpreter, found with every tensor an output of the model."""
    file = schema.ModelT.InitFromPackedBuf(model.tflite, 0)
    file.subgraphs[0].outputs = [
        key for operator in model.graph.operators for key in operator.outputs if key < len(file.subgraphs[0].tensors)
    ]
    builder = flatbuffers.Builder(4096)
    builder.Finish(file.Pack(builder), b"TFL3")
    tflite = bytes(builder.Output())
    (answer,) = run_oracle_batch([(tflite, samples)], folder)
    return (
        "" if isinstance(answer, str) else _compare(settle_graph(read_model(tflite, model.graph.name)), samples, answer)
    )


def _differing(graph: Graph, found: Sequence[Array], wanted: Sequence[Array]) -> str:
    for tensor, mine, other in zip(graph.output_tensors(), found, wanted, strict=True):
        if not np.array_equal(mine.reshape(-1), other.reshape(-1), equal_nan=tensor.dtype.value == "float32"):
            producer = graph.producer(tensor.index)
            by = f"operator {producer.index} `{producer.name}`" if producer else "no operator"
            at = np.flatnonzero(mine.reshape(-1) != other.reshape(-1))
            first = int(at[0]) if at.size else 0
            return (
                f"output `{tensor.name}` of {by}: {at.size} of {tensor.elements} values, the first at {first}: "
                f"{mine.reshape(-1)[first]} instead of {other.reshape(-1)[first]}"
            )
    return ""


def _planned(
    cases: Sequence[_Case],
    core: Core,
    level: Optimize,
    failures: list[Failure],
    kernels: Sequence[Kernel] | None = None,
) -> dict[int, tuple[Plan, bytes]]:
    """Plans that were verified, by the number of the case."""
    plans = {}
    for number, case in enumerate(cases):
        try:
            plan = make_plan(case.optimized, core, level, kernels=kernels)
            verify_plan(plan)
        except Exception as error:  # whatever it is, it belongs to this model
            stage = f"planning for {core.name}, {level}"
            failures.append(Failure(case.model, stage, f"{type(error).__name__}: {error}"))
        else:
            plans[number] = (plan, case.model.tflite)
    return plans


def _check_native(cases: Sequence[_Case], folder: Path, failures: list[Failure]) -> None:
    plans = _planned(cases, NATIVE, "balanced", failures)
    if plans:
        results = NativeBatch(plans, folder).run({number: cases[number].samples for number in plans})
        _check_outcomes("C on this machine", cases, {n: plan for n, (plan, _) in plans.items()}, results, failures)


def _check_core(
    cases: Sequence[_Case],
    core: Core,
    level: Optimize,
    folder: Path,
    failures: list[Failure],
    kernels: Sequence[Kernel] | None = None,
) -> None:
    plans = _planned(cases, core, level, failures, kernels)
    if plans:
        results = CoreBatch(plans, folder, core).run({number: cases[number].samples for number in plans})
        stage = f"C on an emulated {core.name}, {level}"
        _check_outcomes(stage, cases, {n: plan for n, (plan, _) in plans.items()}, results, failures)


def _check_outcomes(
    stage: str,
    cases: Sequence[_Case],
    plans: Mapping[int, Plan],
    results: Mapping[int, list[Outcome] | str],
    failures: list[Failure],
) -> None:
    for number, outcomes in results.items():
        case = cases[number]
        wrong = outcomes if isinstance(outcomes, str) else _wrong_outcome(plans[number], case, outcomes)
        if wrong:
            failures.append(Failure(case.model, stage, wrong))


def _wrong_outcome(plan: Plan, case: _Case, outcomes: Sequence[Outcome]) -> str:
    """Empty when all outputs are the interpreter's; otherwise the first layer that differs from the reference."""
    layers = parse_graph(plan.graph)
    state = initial_state(plan.graph)
    for at, (outcome, sample, wanted) in enumerate(zip(outcomes, case.samples, case.expected, strict=True)):
        values = run_graph(plan.graph, sample, layers, state)
        wrong = _differing(plan.graph, outcome.outputs, wanted)
        if not wrong:
            continue
        for planned, written, found in zip(plan.layers, layer_tensors(plan), outcome.layers, strict=True):
            for tensor, array in zip(written, found, strict=True):
                if not np.array_equal(array, values[tensor.index]):
                    kernel = f"{planned.kernel.name}, operator {planned.layer.index} `{planned.layer.name}`"
                    return f"sample {at}: {kernel} gives other bytes than the reference; {wrong}"
        return f"sample {at}: {wrong}; every layer gives what the reference gives"
    return ""


def blamed(failures: Sequence[Failure]) -> dict[str, list[str]]:
    """Kernels and operators that failures name, with the titles of the models: where to look first."""
    found: dict[str, list[str]] = {}
    for failure in failures:
        names = re.findall(r"\w+/\w+, operator|`\w+`", failure.detail)
        found.setdefault(names[0] if names else failure.stage, []).append(failure.model.title)
    return found
