"""Every board: built with each compiler, its image checked, and run in each emulator that has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.images import check_image
from tinyedge.artifacts import Figure, Image, Silence
from tinyedge.boards import CORES, Board, Isa
from tinyedge.build.flags import supports_gcc
from tinyedge.build.image import select_compiler
from tinyedge.emulate import EMULATORS, emulator
from tinyedge.errors import FitError, MissingToolError, TinyEdgeError
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.run import run as run_model

FITS, TOO_LARGE, FAILED = "ok", "does not fit", "failed"
MISSING = "not installed"


@dataclass(frozen=True)
class Ran:
    """What one emulator made of an image. Instructions and cycles are of one inference, medians over the samples."""

    emulator: str
    version: str
    outcome: str
    """FITS, FAILED or MISSING"""
    why: str = ""
    """of an outcome that is not FITS"""
    samples: int = 0
    mismatches: int = 0
    instructions: Figure | None = None
    layers: tuple[int | None, ...] = ()
    """instructions of each layer"""
    cycles: Figure | None = None
    """of the pipeline alone, so that boards compare"""
    stack_peak_bytes: int = 0
    notes: tuple[str, ...] = ()

    @property
    def is_right(self) -> bool:
        """Whether it ran, and every byte was the oracle's."""
        return self.outcome == FITS and not self.mismatches


@dataclass(frozen=True)
class Cell:
    """One model on one board, built with one compiler."""

    board: Board
    model: str
    compiler: str
    """its name and, once it has built, its version"""
    outcome: str
    """FITS, TOO_LARGE or FAILED: of the build and the check of the image"""
    why: str = ""
    image: Image | None = None
    arena_bytes: int = 0
    checked: tuple[str, ...] = ()
    runs: tuple[Ran, ...] = field(default=())

    @property
    def apart(self) -> int | None:
        """How far the counts of two emulators are apart at most, layer by layer too; None without two counts."""
        return most_apart([[run.instructions, *run.layers] for run in self.runs if run.outcome == FITS])

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes the table a failure; empty for what does not fit, and where an emulator is not installed."""
        found = [self.why] if self.outcome == FAILED else []
        for run in self.runs:
            if run.outcome == FAILED:
                found.append(f"{run.emulator}: {run.why}")
            elif run.mismatches:
                found.append(f"{run.emulator}: {run.mismatches:,} of {run.samples:,} samples differ from the oracle")
        if self.apart:
            found.append(f"counts are {self.apart:,} instructions apart; all count exactly")
        return tuple(found)


def most_apart(counts: Sequence[Sequence[Figure | int | None]]) -> int | None:
    """The largest difference of a figure between any two; None when fewer than two have any.

    >>> most_apart([[100, 40], [101, 40]]), most_apart([[100, 40]]), most_apart([[100], [None]])
    (1, None, None)
    """
    plain: list[list[int | None]] = [[int(c.value) if isinstance(c, Figure) else c for c in row] for row in counts]
    known = [row for row in plain if row and row[0] is not None]
    if len(known) < 2:
        return None
    columns: list[list[int]] = [[v for v in column if v is not None] for column in zip(*known, strict=True)]
    return max(max(column) - min(column) for column in columns if column)


def plan_cells(
    boards: Sequence[Board], models: Sequence[str], compilers: Sequence[str]
) -> tuple[list[tuple[Board, str, str]], list[str]]:
    """(board, model, compiler) in the order of the table, and what is left out and why."""
    missing = {name: why for name in compilers if (why := _lacking(name))}
    wanted = [name for name in compilers if name not in missing]
    left_out = [f"{name} is not installed: {why}" for name, why in missing.items()]
    cells = []
    for board in boards:
        able = [name for name in wanted if name != "gcc" or board.core.isa is Isa.NATIVE or supports_gcc(board.core)]
        cells += [(board, model, compiler) for model in models for compiler in able]
    if "gcc" in wanted and (unable := [board.name for board in boards if _zig_alone(board)]):
        left_out.append(f"gcc builds for Arm and the host alone, not for {', '.join(unable)}")
    return cells, left_out


def _zig_alone(board: Board) -> bool:
    return board.core.isa is not Isa.NATIVE and not supports_gcc(board.core)


def _lacking(compiler: str) -> str:
    """Why a compiler for boards cannot be had; empty when it can."""
    try:
        _ = select_compiler(compiler, CORES["cortex-m4f"]).version
    except MissingToolError as error:
        return f"{error.what}; {error.hint}"
    return ""


def measure_cells(
    cells: Sequence[tuple[Board, str, str]],
    build_dir: Path,
    samples: int,
    progress: Callable[[int, int, str], None],
) -> Iterator[Cell]:
    """Build, check and run one after the other; what fails is in its cell, and the others go on."""
    for done, (board, model, compiler) in enumerate(cells):
        progress(done, len(cells), f"{board.name} {Path(model).stem} {compiler}")
        choices = Choices(model, board.name, compiler, None, build_dir)
        yield _measure(choices, board, samples)
    progress(len(cells), len(cells), "")


def _measure(choices: Choices, board: Board, samples: int) -> Cell:
    name = Path(str(choices.model)).stem
    try:
        built = build(choices, Silence())
        checked = check_image(board, built.image)
    except FitError as error:
        return Cell(board, name, choices.compiler, TOO_LARGE, _first(error))
    except Exception as error:  # a defect is a result too: the table shows it, and fails
        return Cell(board, name, choices.compiler, FAILED, _told(error))
    runs = []
    for emulator_name in EMULATORS:
        if emulator_name in board.emulators:
            runs.append(_run(choices, board, emulator_name, built.image.digest, samples))
    return Cell(
        board=board,
        model=built.prepared.model.name,
        compiler=built.image.compiler,
        outcome=FITS,
        image=built.image,
        arena_bytes=built.project.arena_bytes,
        checked=checked,
        runs=tuple(runs),
    )


def _run(choices: Choices, board: Board, name: str, image_digest: str, samples: int) -> Ran:
    version = ""
    try:
        version = emulator(name, board).version()
        measured = run_model(choices, Silence(), emulator_name=name, samples=samples)
    except MissingToolError as error:
        return Ran(name, version, MISSING, f"{error.what}; {error.hint}")
    except BrokenRunError as broken:
        partial = broken.partial.run
        return Ran(name, version, FAILED, _first(broken.error), partial.samples, partial.mismatches)
    except Exception as error:  # as above
        return Ran(name, version, FAILED, _told(error))
    run = measured.run
    if measured.built.image.digest != image_digest:
        return Ran(name, version, FAILED, "a second build gave another image")
    if run.selftest_failure:
        return Ran(name, version, FAILED, run.selftest_failure, run.samples, run.mismatches)
    return Ran(
        emulator=name,
        version=version,
        outcome=FITS,
        samples=run.samples,
        mismatches=run.mismatches,
        instructions=run.instructions,
        layers=tuple(layer.instructions for layer in run.layers),
        cycles=None if run.pipeline_cycles is None else Figure("modelled", run.pipeline_cycles),
        stack_peak_bytes=run.stack_peak_bytes,
        notes=run.notes,
    )


def _first(error: TinyEdgeError) -> str:
    return error.what.splitlines()[0]


def _told(error: Exception) -> str:
    return _first(error) if isinstance(error, TinyEdgeError) else f"a defect: {type(error).__name__}: {error}"
