"""The order of the stages, and what an earlier call left that can be used again. The only file that knows both.

    Recipe -> QuantizedModel -> Graph -> Plan -> FirmwareProject -> Image -> Run

Everything made lies under the build folder: `<model>/trained/<digest>/` (what training made, by the digest of all that
determines it), `<model>/<board>-<compiler>/` (the firmware project and its image) and `<model>/expected/` (the
oracle's outputs, by model and inputs). Compiled objects are kept by content in the user's cache.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import FirmwareProject, Image, Kind, Optimize, Plan, Program, QuantizedModel, Run, digest
from tinyedge.boards import Board, load_board
from tinyedge.build import build_image, make_flags
from tinyedge.build.tflm_tree import TflmTree, find_tree
from tinyedge.console.contract import Console
from tinyedge.emulate import choose
from tinyedge.errors import DeviceError, ModelError, TinyEdgeError, ToolError, UsageError
from tinyedge.generate import generate_project
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.measure.arena import ArenaProof
from tinyedge.measure.oracle import run_oracle
from tinyedge.measure.run import Counts, Reading, RunFailedError, run_samples
from tinyedge.measure.samples import load_inputs
from tinyedge.measure.session import Session
from tinyedge.ops import check, parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import optimize_graph
from tinyedge.paths import write_whole
from tinyedge.plan import check_fits, make_plan
from tinyedge.tflm import OLDER_NOTE, TflmBuild, differs, make_program, older_outputs
from tinyedge.train import load_trained, train_model, training_digest
from tinyedge.train.recipe import Recipe, find_recipe

Array = npt.NDArray[Any]


class Progress(Protocol):
    """Takes how much of the work is done, and which part of it is worked on."""

    def __call__(self, done: int, total: int, stage: str = "") -> None: ...


class Observer(Protocol):
    """Who is told what goes on: the command line's `Ui`, or a test's recorder."""

    def note(self, text: str) -> None: ...

    def detail(self, text: str) -> None: ...

    def progress(self, label: str) -> AbstractContextManager[Progress]: ...


@dataclass(frozen=True)
class Choices:
    """What the user chose. `optimize` None: the recipe's choice, else balanced."""

    model: str
    board: str
    compiler: str
    optimize: str | None
    build_dir: Path
    runtime: str = "aot"
    """`aot` or `tflm`"""
    tflm: Path | None = None
    """a source tree of TensorFlow Lite Micro; None: TINYEDGE_TFLM names it"""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model planned for a board: everything that is known before anything is compiled."""

    model: QuantizedModel
    board: Board
    original: Graph
    """as in the file"""
    plan: Plan | Program
    """a program where an interpreter on the device does what a plan settles"""
    budget: Path | None
    """the recipe's budget.toml, if there is one; its figures are of the ahead-of-time runtime"""
    tree: TflmTree | None = None
    """the sources of TensorFlow Lite Micro"""


@dataclass(frozen=True, eq=False)
class Built:
    """A firmware project and its image."""

    prepared: Prepared
    project: FirmwareProject
    folder: Path
    image: Image
    arena: ArenaProof | None = None
    """how the arena of an interpreter was sized; None: it was planned"""


@dataclass(frozen=True, eq=False)
class Measured:
    """What ran, where, and what came out."""

    built: Built
    emulator: str
    """name and version"""
    run: Run
    statistics: dict[str, float]
    samples_digest: str


@dataclass(frozen=True, eq=False)
class Target:
    """A firmware that was started: on what, how to talk to it, and what its ticks are."""

    label: str
    """name and version of the emulator, or the port of the board"""
    console: Console
    counts: Counts
    cycles_error_percent: float | None = None
    cycles_kind: Kind = "modelled"
    ticks_per_instruction: Fraction = Fraction(1)
    """where `counts` is instructions"""
    readings: Callable[[], Sequence[Reading]] = list
    """counter readings since the last call; always empty on a board"""
    statistics: Callable[[], dict[str, float]] = dict
    notes: Callable[[], tuple[str, ...]] = tuple


class BrokenRunError(Exception):
    """The device failed in the middle of a run: `partial` is what was measured before, `error` what happened."""

    def __init__(self, partial: Measured, error: DeviceError) -> None:
        super().__init__(str(error))
        self.partial = partial
        self.error = error


def find_model(spec: str) -> Recipe | Path:
    """A .tflite file by its path, or a recipe by name or folder.

    Raises: UsageError when there is neither.
    """
    path = Path(spec)
    if path.suffix == ".tflite" or path.is_file():
        if not path.is_file():
            raise UsageError(f"there is no file `{spec}`", hint="give the path of a .tflite, or the name of a recipe")
        return path
    return find_recipe(spec)


def model_name(path: Path) -> str:
    """A name for folders, symbols and the banner, from the name of a file.

    >>> model_name(Path("my net (v2).tflite"))
    'my_net_v2'
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", path.stem).strip("_") or "model"


def train(recipe: Recipe, build_dir: Path, observer: Observer, *, again: bool = False) -> QuantizedModel:
    """The recipe's model: from an earlier training if nothing changed since (and not `again`), else trained now."""
    folder = build_dir / recipe.name / "trained" / training_digest(recipe)[:16]
    kept = None if again else load_trained(folder)
    if kept is not None:
        observer.detail(f"trained model taken from {folder}")
        return kept
    observer.note(f"training `{recipe.name}`")
    with observer.progress("train") as report:
        return train_model(recipe, folder, progress=lambda stage, done, total: report(done, total, stage))


def prepare(choices: Choices, observer: Observer) -> Prepared:
    """Model, graph and plan for the chosen board; refuses what cannot run or fit before anything is compiled."""
    board = load_board(choices.board)
    found = find_model(choices.model)
    if isinstance(found, Path):
        data = found.read_bytes()
        model = QuantizedModel(model_name(found), data, digest(data))
        optimize = choices.optimize or "balanced"
        budget = None
    else:
        model = train(found, choices.build_dir, observer)
        optimize = choices.optimize or found.optimize
        budget = found.folder / "budget.toml"
    original = read_model(model.tflite, model.name)
    if choices.runtime == "tflm":
        tree = find_tree(choices.tflm)
        return Prepared(model, board, original, make_program(original, cast(Optimize, optimize), tree), None, tree)
    check(original)
    plan = make_plan(optimize_graph(original), board.core, cast(Optimize, optimize))
    check_fits(plan, board)
    for planned in plan.layers:
        observer.detail(f"layer {planned.layer.index} {planned.layer.name}: {planned.kernel.name}")
        for name, reason in planned.considered:
            observer.detail(f"    {name}: {reason}")
    return Prepared(model, board, original, plan, budget if budget and budget.is_file() else None)


def build(choices: Choices, observer: Observer) -> Built:
    """The firmware project and its image, below `<build folder>/<model>/<board>-<compiler>`."""
    prepared = prepare(choices, observer)
    if isinstance(prepared.plan, Program):
        return _build_tflm(choices, prepared, prepared.plan, observer)
    project = generate_project(
        prepared.plan,
        prepared.model,
        prepared.board,
        selftest_crc=selftest_crc(prepared.plan.graph),
        make_flags=make_flags(prepared.board),
    )
    folder = choices.build_dir / prepared.model.name / f"{prepared.board.name}-{choices.compiler}"
    with observer.progress("compile") as report:
        image = build_image(project, folder, choices.compiler, progress=report)
    return Built(prepared, project, folder, image)


def _build_tflm(choices: Choices, prepared: Prepared, program: Program, observer: Observer) -> Built:
    """The same with TensorFlow Lite Micro, in `<board>-<compiler>-tflm`; emulated, to size and prove the arena."""
    board, model = prepared.board, prepared.model
    try:
        emulator = choose(board, "auto")
    except (ToolError, UsageError):  # none has the core or is installed: the arena is sized without, and says so
        emulator = None
    folder = choices.build_dir / model.name / f"{board.name}-{choices.compiler}-tflm"
    job = TflmBuild(
        program,
        model,
        board,
        prepared.tree,
        choices.compiler,
        _program_crc(prepared, choices.build_dir, observer),
        folder,
        None if emulator is None else lambda image: emulator.start(image, board),
        observer,
    )
    project, image, arena = job.run()
    return Built(replace(prepared, plan=replace(program, arena_bytes=arena.bytes)), project, folder, image, arena)


def _program_crc(prepared: Prepared, build_dir: Path, observer: Observer) -> int:
    """The self-test's checksum of a model that may hold operators tinyedge has no reference for."""
    if differs(prepared.original, prepared.tree):
        outputs = older_outputs(prepared.original, prepared.tree, load_inputs("random:1", prepared.original, 1))
        return zlib.crc32(b"".join(output[0].tobytes() for output in outputs))
    try:
        check(prepared.original)
    except ModelError:
        sample = load_inputs("random:1", prepared.original, 1)
        outputs = _expected(prepared, build_dir, sample, observer)
        return zlib.crc32(b"".join(output[0].tobytes() for output in outputs))
    return selftest_crc(prepared.original)


def selftest_crc(graph: Graph) -> int:
    """CRC-32 over all outputs for the self-test's input (te_model.h): the first sample of `random:1`."""
    sample = load_inputs("random:1", graph, 1)
    values = run_graph(graph, [array[0] for array in sample])
    return zlib.crc32(b"".join(values[key].tobytes() for key in graph.outputs))


def run(
    choices: Choices,
    observer: Observer,
    *,
    emulator_name: str = "auto",
    inputs: str | None = None,
    samples: int | None = None,
) -> Measured:
    """Build, start the image, stream the samples through it, and compare every output byte with the oracle's.

    inputs   `FILE.npy`, `random:SEED` or `zeros`; None: the recipe's test set, else `random:1`
    samples  how many; None: all of the test set or file, else as many as `load_inputs` makes
    """
    built = build(choices, observer)
    board = built.prepared.board
    emulator = choose(board, emulator_name)

    def start() -> Target:
        console = emulator.start(built.image, board)
        return Target(
            f"{emulator.name} {emulator.version()}",
            console,
            emulator.counts,
            emulator.cycles_error_percent,
            ticks_per_instruction=emulator.ticks_per_instruction,
            readings=console.counter_readings,
            statistics=console.statistics,
            notes=console.notes,
        )

    return measure(built, observer, start, choices.build_dir, inputs, samples)


def measure(
    built: Built,
    observer: Observer,
    start: Callable[[], Target],
    build_dir: Path,
    inputs: str | None = None,
    samples: int | None = None,
) -> Measured:
    """Stream samples through the firmware that `start` brings up, which must be this image, and compare every byte.

    Raises: BrokenRunError with what was measured when the firmware fails in the middle; DeviceError before that;
    TinyEdgeError when another image runs
    """
    prepared = built.prepared
    arrays, labels = _samples(prepared, inputs, samples)
    expected = _expected(prepared, build_dir, arrays, observer)
    target = start()

    def measured(result: Run) -> Measured:
        samples_digest = digest(*(array.tobytes() for array in arrays))
        older = (OLDER_NOTE,) if differs(prepared.original, prepared.tree) else ()
        result = replace(result, notes=(*result.notes, *target.notes(), *older))
        return Measured(built, target.label, result, target.statistics(), samples_digest)

    try:
        session = Session(target.console)
        check_banner(session.wait_for_banner().image, built)
        with observer.progress(f"{target.label}: run and verify") as report:
            return measured(
                run_samples(
                    session,
                    target.readings,
                    target.counts,
                    plan=prepared.plan,
                    samples=arrays,
                    expected=expected,
                    labels=labels,
                    layer_crcs=lambda i: layer_crcs(prepared.plan, [array[i] for array in arrays]),
                    clock_hz=prepared.board.clock_hz,
                    cycles_error_percent=target.cycles_error_percent,
                    cycles_kind=target.cycles_kind,
                    ticks_per_instruction=target.ticks_per_instruction,
                    emulator=target.label,
                    progress=report,
                )
            )
    except RunFailedError as error:
        raise BrokenRunError(measured(error.partial), error) from error
    finally:
        target.console.close()


def layer_crcs(plan: Plan | Program, sample: list[Array]) -> list[int]:
    """What `profile` must report for `sample`: CRC-32 over the outputs of each layer, in order of execution."""
    values = run_graph(plan.graph, sample)
    return [
        zlib.crc32(b"".join(values[tensor.index].tobytes() for tensor in planned.layer.outputs))
        for planned in plan.layers
    ]


def layers_of(prepared: Prepared) -> tuple[Layer, ...]:
    """The layers of the file, before any pass: what MACs are counted on."""
    return parse_graph(prepared.original)


def _samples(prepared: Prepared, inputs: str | None, count: int | None) -> tuple[list[Array], Array | None]:
    """(one array [N, *shape] for each input of the model, labels or None)."""
    model = prepared.model
    if inputs is None and model.samples is not None:
        stop = len(model.samples) if count is None else count
        if stop > len(model.samples):
            raise UsageError(
                f"`{model.name}` has {len(model.samples):,} test samples, not {stop:,}",
                hint=f"`--samples {len(model.samples)}`, or `--inputs random:1` for any number",
            )
        labels = None if model.labels is None else model.labels[:stop]
        return [model.samples[:stop]], labels
    return load_inputs(inputs or "random:1", prepared.original, count), None


def _expected(prepared: Prepared, build_dir: Path, arrays: list[Array], observer: Observer) -> list[Array]:
    """The oracle's outputs, one array [N, *shape] for each output of the model; kept by model and inputs."""
    if differs(prepared.original, prepared.tree):
        with observer.progress("reference on the host"):
            return older_outputs(prepared.original, prepared.tree, arrays)
    name = digest(prepared.model.digest, *(array.tobytes() for array in arrays))[:16]
    kept = build_dir / prepared.model.name / "expected" / f"{name}.npz"
    count = len(prepared.original.outputs)
    if kept.is_file():
        with np.load(kept) as stored:
            return [stored[f"output{i}"] for i in range(count)]
    with observer.progress("TensorFlow Lite Micro on the host"):
        rows = run_oracle(prepared.model.tflite, list(zip(*arrays, strict=True)))
    outputs = [np.stack([row[i] for row in rows]) for i in range(count)]
    archive = io.BytesIO()
    np.savez(archive, **{f"output{i}": array for i, array in enumerate(outputs)})  # type: ignore[arg-type]
    write_whole(kept, archive.getvalue())
    return outputs


def check_banner(image_id: str, built: Built) -> None:
    """Raises: TinyEdgeError when the firmware that runs is not the one that was built."""
    if image_id != built.project.digest[: len(image_id)] or not image_id:
        raise TinyEdgeError(
            f"the firmware says it is image `{image_id}`, but `{built.project.digest[:16]}` was built",
            hint="build again, and flash the image that was built",
        )
