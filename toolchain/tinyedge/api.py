"""What Python programs and notebooks call: `tinyedge.convert`, `.train`, `.check`, `.build`, `.run`, `.verify`,
and their results.

Each function goes through the job of the command of its name and gives the artifact that the command reports on:
`print` shows it as the command does, a notebook as tables, `to_json()` is the document of `--json`. What is not given
comes from the settings of the project (tinyedge.toml), as for the commands. Errors are `tinyedge.TinyEdgeError`, with
the hint in `.hint`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, get_args, get_type_hints

from tinyedge.artifacts import Built, Diagnosis, Measured, Observer, Optimize, QuantizedModel, Silence
from tinyedge.cli.config import load_config
from tinyedge.cli.options import merge_choices
from tinyedge.convert import convert_model
from tinyedge.errors import TinyEdgeError, UsageError
from tinyedge.jobs import build as build_job
from tinyedge.jobs import check as check_job
from tinyedge.jobs import run as run_job
from tinyedge.jobs import train as train_job
from tinyedge.jobs import verify as verify_job
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.last_training import choose
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.report import display  # noqa: F401 - how results are shown
from tinyedge.report.files import RunFiles
from tinyedge.report.html import run_html
from tinyedge.report.verdict import judge
from tinyedge.runtimes import RUNTIMES
from tinyedge.tables import nearest
from tinyedge.train import Recipe

__all__ = [
    "Built",
    "Diagnosis",
    "QuantizedModel",
    "Recipe",
    "Report",
    "TinyEdgeError",
    "build",
    "check",
    "convert",
    "run",
    "train",
    "verify",
]

PathLike = str | os.PathLike[str]
Model = PathLike | QuantizedModel
"""a recipe's name or folder, a model's file, or what `train` and `convert` gave"""


class BuildOptions(TypedDict, total=False):
    """What `tinyedge build` can be told; what is left out comes from the settings of the project.

    compiler     of the firmware
    optimize     what the code is made for; else the recipe's choice, for a model in memory balanced
    runtime      compiled ahead of time, or TensorFlow Lite Micro
    tflm         folder with the sources of TensorFlow Lite Micro
    build_dir    folder for everything that is made
    keep_inputs  inferences leave their inputs as they are
    max_ram      bytes of arena and state at most, at the price of time
    input        how it comes: whole, or row by row through NAME_push_row, and never in RAM whole
    arena        of several models: one that they run in one after the other, or one each
    data         samples, and labels, for a model that has to be converted
    python       the Python that has litert-torch
    """

    compiler: Literal["zig", "gcc"]
    optimize: Optimize
    runtime: Literal["aot", "tflm"]
    tflm: PathLike
    build_dir: PathLike
    keep_inputs: bool
    max_ram: int
    input: Literal["whole", "rows"]
    arena: Literal["shared", "separate"]
    data: PathLike
    python: str


_BOARD = 'a board\'s name: "nrf52840"; `tinyedge boards` lists all'

convert = convert_model


@dataclass(frozen=True, eq=False, repr=False)
class Report(Measured):
    """A run that was verified: all of `Measured`, with its main figures at hand.

    Figures are of one inference, medians over the samples; None where nothing counts them. `run` has them with their
    kind (counted, modelled or measured) and their spread, `built` the firmware.
    """

    @property
    def ok(self) -> bool:
        """Whether every output byte was right, the self-test was passed and the budget, if there is one, kept."""
        try:
            self.check()
        except TinyEdgeError:
            return False
        return True

    def check(self) -> None:
        """Raises: CheckError for mismatches, a failed self-test, or a budget that is not kept."""
        judge(self)

    @property
    def accuracy(self) -> float | None:
        """On the device, of the first output; None without labels."""
        return self.run.device_accuracy

    @property
    def mismatches(self) -> int:
        """Samples with an output that differs from the reference's."""
        return self.run.mismatches

    @property
    def instructions(self) -> float | None:
        return None if self.run.instructions is None else self.run.instructions.value

    @property
    def cycles(self) -> float | None:
        return None if self.run.cycles is None else self.run.cycles.value

    @property
    def latency_us(self) -> float | None:
        return None if self.run.latency_us is None else self.run.latency_us.value

    @property
    def flash_bytes(self) -> int:
        return self.built.image.size.flash_bytes

    @property
    def ram_bytes(self) -> int:
        return self.built.image.size.ram_bytes

    @property
    def arena_bytes(self) -> int:
        return self.built.project.arena_bytes

    @property
    def html(self) -> str:
        """The report as a page that needs nothing else."""
        return run_html(self)

    def save(
        self,
        *,
        html: PathLike | None = None,
        junit: PathLike | None = None,
        outputs: PathLike | None = None,
        markdown: PathLike | None = None,
    ) -> None:
        """Write the page, what was checked as JUnit XML, outputs (.npy or .npz), a summary; each whole or not at all.

        Raises: UsageError for a file that cannot be written as asked; OSError
        """
        RunFiles(*(None if path is None else Path(path) for path in (outputs, html, junit, markdown))).write(self)


def train(
    recipe: str | os.PathLike[str] | Recipe | None = None,
    *,
    data: PathLike | None = None,
    quick: bool = False,
    seed: int | None = None,
    build_dir: PathLike | None = None,
    again: bool = False,
    progress: bool | Observer = False,
) -> QuantizedModel:
    """The model of a recipe: trained, compressed and converted, unless that was done before.

    recipe     a name (`"digits"`), a folder with a recipe.toml, or a `Recipe`; None: the project's
    data       instead of what [data] names
    quick      few epochs, as [quick] says: it shows that all works, and no more
    seed       None: the recipe's
    again      train even if nothing changed since the last time
    progress   True: bars and notes on stderr; or an observer that is told

    Raises: UsageError, ModelError, ToolError as `tinyedge train` tells them
    """
    observer = _observer(progress)
    config = load_config(Path.cwd())
    spec = config.model if recipe is None else recipe
    if spec is None:
        raise UsageError("no recipe given", hint='name one: `tinyedge.train("digits")`')
    found = spec if isinstance(spec, Recipe) else train_job.find_model(os.fspath(spec), observer)
    if isinstance(found, Path):
        raise UsageError(f"`{found}` is a finished model; there is nothing to train", hint="`tinyedge.run` takes it")
    chosen = choose(found, quick=quick, data=None if data is None else Path(data), seed=seed)
    folder = Path(build_dir or config.build_dir or "build").absolute()
    return train_job.train(chosen, folder, observer, again=again)


def check(
    model: Model | None = None,
    *,
    ignore: Sequence[str] = (),
    data: PathLike | None = None,
    build_dir: PathLike | None = None,
    progress: bool | Observer = False,
) -> Diagnosis:
    """What is wrong with a model, told from its file: findings with codes, whether or not it can be built.

    model   None: the project's; a .tflite may be a float one
    ignore  codes to leave out, beside those of tinyedge.toml
    data    samples, for a model that has to be converted

    Raises: UsageError, ModelError as `tinyedge check` tells them; what is found is no exception
    """
    config = load_config(Path.cwd())
    spec = config.model if model is None else _plain(model)
    if spec is None:
        raise UsageError("no model given", hint='name one: `tinyedge.check("net.tflite")`')
    samples = data or config.data
    return check_job.check(
        spec,
        Path(build_dir or config.build_dir or "build").absolute(),
        _observer(progress),
        ignore=[*config.check.ignore, *ignore],
        data=None if samples is None else Path(samples),
    )


def build(
    model: Model | Sequence[Model] | None = None,
    board: str | None = None,
    *,
    progress: bool | Observer = False,
    **options: Unpack[BuildOptions],
) -> Built:
    """The firmware of a model for a board: a project folder that `make` can build, and its image.

    model    None: the project's; several become one firmware
    board    a name or an alias of `tinyedge boards`; None: the project's
    options  those of `BuildOptions`

    Raises: UsageError, ModelError, FitError, ToolError as `tinyedge build` tells them
    """
    return build_job.build(_choices(model, board, options), _observer(progress))


def run(
    model: Model | None = None,
    board: str | None = None,
    *,
    samples: int | None = None,
    inputs: str | None = None,
    emulator: str = "auto",
    check: bool = True,
    progress: bool | Observer = False,
    **options: Unpack[BuildOptions],
) -> Report:
    """Build, run in an emulator, verify every output byte and measure.

    samples, inputs  how many and which: `FILE.npy`, `random:SEED` or `zeros`; None: the test set, else `random:1`
    emulator         `auto` takes the board's first
    check            False: give the report whatever it says; True: raise what makes the command fail
    options          those of `build`

    Raises: as `build` does; CheckError for mismatches, a failed self-test or a budget that is not kept; DeviceError
    """
    _require_samples(samples)
    choices, observer = _single(_choices(model, board, options)), _observer(progress)
    try:
        measured = run_job.run(choices, observer, emulator_name=emulator, inputs=inputs, samples=samples)
    except BrokenRunError as error:
        raise error.error from error
    return _report(measured, check=check)


def verify(
    model: Model | None = None,
    board: str | None = None,
    *,
    port: str | None = None,
    samples: int | None = None,
    inputs: str | None = None,
    check: bool = True,
    progress: bool | Observer = False,
    **options: Unpack[BuildOptions],
) -> Report:
    """Stream samples through a board that was flashed with this model, verify every output byte and measure.

    port  serial port of its console, or socket://host:port; None: found by USB ids

    Raises: as `run` does
    """
    _require_samples(samples)
    choices, observer = _single(_choices(model, board, options)), _observer(progress)
    try:
        measured = verify_job.verify(choices, observer, port=port, inputs=inputs, samples=samples)
    except BrokenRunError as error:
        raise error.error from error
    return _report(measured, check=check)


def _report(measured: Measured, *, check: bool) -> Report:
    report = Report(**{field.name: getattr(measured, field.name) for field in fields(Measured)})
    if check:
        report.check()
    return report


def _choices(model: Model | Sequence[Model] | None, board: str | None, options: BuildOptions) -> Choices:
    """What was chosen; the settings of the project for the rest. Raises: TypeError, UsageError for wrong options."""
    given: dict[str, Any] = dict(options)
    kinds = get_type_hints(BuildOptions)
    for name, value in given.items():
        if name not in kinds:
            raise TypeError(f"there is no option `{name}`; {nearest(name, kinds)}")
        if (allowed := get_args(kinds[name])) and all(isinstance(each, str) for each in allowed):
            if value not in allowed:
                raise UsageError(f"`{name}` is {value!r}", hint=f"choose of {', '.join(allowed)}")
        elif kinds[name] is bool and not isinstance(value, bool):
            raise UsageError(f"`{name}` is {value!r}", hint="give True or False")
        elif name in ("tflm", "build_dir", "data"):
            given[name] = Path(value)
    for name, text, hint in (("model", _plain(model), "a path, or a recipe's name"), ("board", board, _BOARD)):
        if isinstance(text, int | float | bytes):
            raise UsageError(f"`{name}` is {text!r}", hint=f"give {hint}")
    config = load_config(Path.cwd())
    several = list(model) if isinstance(model, list | tuple) else [model]
    first, *others = config.models or (config.model,) if model is None else several
    runtime, arena = given.pop("runtime", None), given.pop("arena", "shared")
    defaults = {**dict.fromkeys(kinds), "keep_inputs": False, "arrives": given.pop("input", "whole")}
    merged, _ = merge_choices(
        config, runtime or config.runtime or RUNTIMES[0], {**defaults, **given, "model": _plain(first), "board": board}
    )
    return replace(merged, others=tuple(_plain(other) for other in others), arena=arena)


def _plain(model: Any) -> Any:
    """A path as the commands take it."""
    return os.fspath(model) if isinstance(model, os.PathLike) else model


def _require_samples(samples: int | None) -> None:
    """Raises: UsageError for what is no count."""
    if samples is not None and (isinstance(samples, bool) or not isinstance(samples, int) or samples < 1):
        raise UsageError(f"`samples` is {samples!r}", hint="give a whole number, from 1 on")


def _single(choices: Choices) -> Choices:
    """Raises: UsageError for several models, of which each would have a report."""
    if choices.others:
        raise UsageError("the project has several models; a report is of one", hint="name it: `tinyedge.run(model)`")
    return choices


def _observer(progress: bool | Observer) -> Observer:
    if progress is False:
        return Silence()
    if progress is True:
        from tinyedge.cli.ui import Ui

        return Ui()
    return progress
