"""The options that commands share, and the settings of the project they start from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import click

from tinyedge.cli.completion import complete_board, complete_model
from tinyedge.cli.config import Config, load_config, load_project_budget
from tinyedge.cli.ui import Ui, terminal_columns
from tinyedge.convert import Settings
from tinyedge.errors import UsageError
from tinyedge.jobs.choices import PORTABLE_BOARD, Choices
from tinyedge.jobs.compare import RunChoices
from tinyedge.report.energy import parse_duty
from tinyedge.report.files import RunFiles
from tinyedge.report.table import fitted
from tinyedge.runtimes import RUNTIMES

Command = Callable[..., Any]


_FOLDER = click.Path(file_okay=False, path_type=Path)
_SHARED = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
    click.option("-v", "--verbose", count=True, help="Say more on stderr."),
    click.option(
        "--plain", is_flag=True, help="For scripts: a tab between the cells of tables, nothing folded, no bars."
    ),
)
_BOARD = click.option("-b", "--board", shell_complete=complete_board, help="The board; `tinyedge boards` lists them.")
_MODEL = (click.argument("model", required=False, shell_complete=complete_model), _BOARD)
_MODELS = (
    click.argument("models", metavar="[MODEL]...", nargs=-1, shell_complete=complete_model),
    _BOARD,
    click.option(
        "--arena",
        type=click.Choice(["shared", "separate"]),
        default="shared",
        show_default=True,
        help="Of several models: one they run in one after the other, or one each.",
    ),
)
_RUNTIME = click.option("--runtime", type=click.Choice(RUNTIMES), help="Compiled ahead of time (default), or TFLM.")
_RUNTIMES = click.option(
    "--runtime", default=",".join(RUNTIMES), show_default=True, metavar="NAME,...", help="The runtimes to compare."
)
_EMULATOR = click.option(
    "--emulator", default="auto", show_default=True, help="Which emulator; `auto` takes the board's first."
)
_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Samples and labels, of any format of docs/data.md: what a MODEL is converted with, or judged on.",
)
_PYTHON = click.option(
    "--python", metavar="PROGRAM", help="The Python that has litert-torch, for PyTorch. Default: TINYEDGE_TORCH_PYTHON."
)
_LIBRARY = (
    click.option(
        "--optimize", type=click.Choice(["size", "balanced", "speed"]), help="Default: the recipe's, else balanced."
    ),
    click.option(
        "--max-ram",
        type=click.IntRange(min=1),
        metavar="BYTES",
        help="The fastest code whose arena and state have at most so many bytes.",
    ),
    click.option(
        "--input",
        "arrives",
        type=click.Choice(["whole", "rows"]),
        default="whole",
        show_default=True,
        help="How the input comes: into RAM, or row by row through NAME_push_row, and never there whole.",
    ),
    click.option("--keep-inputs", is_flag=True, help="Inferences leave their inputs as they are; may take more RAM."),
    click.option("-d", "--build-dir", type=_FOLDER, help="Default: build."),
)
_BUILD = (
    _DATA,
    _PYTHON,
    click.option("--tflm", type=_FOLDER, metavar="DIR", help="TensorFlow Lite Micro's tree. Default: TINYEDGE_TFLM."),
    click.option("--compiler", type=click.Choice(["zig", "gcc"]), help="Default: zig."),
    click.option(
        "--calibration",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="How long the board waits for its memory, by `tinyedge calibrate`.",
    ),
    *_LIBRARY,
)
_SAMPLING = (
    click.option(
        "--inputs", metavar="SPEC", help="FILE.npy, random:SEED or zeros. Default: the test set, else random:1."
    ),
    click.option(
        "--samples", type=click.IntRange(min=1), help="How many samples. Default: the whole test set, else 20."
    ),
)
_FILE = click.Path(dir_okay=False, path_type=Path)
_FILES = (
    click.option(
        "--save-outputs",
        type=_FILE,
        help="Write the device's outputs: .npy (of several NAME_0.npy and so on) or .npz.",
    ),
    click.option("--html", type=_FILE, help="Write the report as a page."),
    click.option("--junit", type=_FILE, help="Write what was checked as JUnit XML."),
    click.option("--markdown", type=_FILE, help="Write a summary for a pull request."),
)
_UPDATE = click.option("--update-budget", is_flag=True, help="Take what is found as the budget of the model.")
_DUTY = (
    click.option("--rate", metavar="N/s", help="Inferences a s, min, h or d, for the life of --battery."),
    click.option("--battery", metavar="SPEC", help="Its charge and voltage: 220mAh@3V."),
    click.option("--sleep-ua", type=float, metavar="UA", help="Microamperes that flow between inferences."),
)
_OF_CHOICES = frozenset(
    {
        "model",
        "board",
        "tflm",
        "compiler",
        "optimize",
        "build_dir",
        "keep_inputs",
        "max_ram",
        "arrives",
        "data",
        "python",
        "calibration",
    }
)


def shared(function: Command) -> Command:
    """`--json`, `-v` and `--plain`, handed to the command as `ui`; tables fold to the terminal."""

    @functools.wraps(function)
    def wrapper(*args: Any, as_json: bool, verbose: int, plain: bool, **kwargs: Any) -> Any:
        with fitted(None if plain else terminal_columns(), plain=plain):
            return function(*args, ui=Ui(as_json=as_json, verbose=verbose, plain=plain), **kwargs)

    return _decorate(wrapper, _SHARED)


def converting(function: Command) -> Command:
    """What a source is converted with: `data` and `python`."""
    return _decorate(function, (_DATA, _PYTHON))


def sampling(function: Command) -> Command:
    """Which samples, and how many: `inputs` and `samples`."""
    return _decorate(function, _SAMPLING)


def with_duty(function: Command) -> Command:
    """What a battery's life is told for, as `duty`."""

    @functools.wraps(function)
    def wrapper(*args: Any, rate: str | None, battery: str | None, sleep_ua: float | None, **kwargs: Any) -> Any:
        return function(*args, duty=parse_duty(rate, battery, sleep_ua), **kwargs)

    return _decorate(wrapper, _DUTY)


def budgeted(function: Command) -> Command:
    """`--update-budget`, handed to the command as `update_budget`."""
    return _UPDATE(function)


def measuring(function: Command) -> Command:
    """The same, the files that the report is kept in as `files`, and what a battery's life is told for as `duty`."""

    @functools.wraps(function)
    def wrapper(
        *args: Any,
        save_outputs: Path | None,
        html: Path | None,
        junit: Path | None,
        markdown: Path | None,
        rate: str | None,
        battery: str | None,
        sleep_ua: float | None,
        **kwargs: Any,
    ) -> Any:
        duty = parse_duty(rate, battery, sleep_ua)
        return function(*args, files=RunFiles(save_outputs, html, junit, markdown), duty=duty, **kwargs)

    return _decorate(wrapper, (*_SAMPLING, *_FILES, *_DUTY))


def choices(function: Command) -> Command:
    """MODEL and the options of a build, merged with the settings of the project into `choices`."""

    @functools.wraps(function)
    def wrapper(*args: Any, runtime: str | None, **kwargs: Any) -> Any:
        config = load_config(Path.cwd())
        chosen = runtime or config.runtime or RUNTIMES[0]
        merged, others = merge_choices(config, chosen, kwargs)
        return function(*args, choices=merged, **others)

    return _decorate(wrapper, (*_MODEL, _RUNTIME, *_BUILD))


def board_choices(function: Command) -> Command:
    """MODEL and what a library and a compiler hang on, for any number of boards: `boards`, none named means all."""

    @functools.wraps(function)
    def wrapper(*args: Any, board: tuple[str, ...], **kwargs: Any) -> Any:
        config = load_config(Path.cwd())
        given = {**kwargs, "board": board[0] if board else PORTABLE_BOARD, "tflm": None}
        merged, further = merge_choices(config, RUNTIMES[0], given)
        return function(*args, choices=merged, boards=board, **further)

    boards = click.option(
        "-b", "--board", multiple=True, metavar="BOARD", help="Of these boards alone; may be repeated."
    )
    compiler = click.option("--compiler", type=click.Choice(["zig", "gcc"]), help="Default: zig.")
    model = click.argument("model", required=False)
    return _decorate(wrapper, (model, boards, _DATA, _PYTHON, compiler, *_LIBRARY))


def joint_choices(function: Command) -> Command:
    """The same for one or several models in one firmware; `models` of the project's settings goes before `model`."""

    @functools.wraps(function)
    def wrapper(
        *args: Any, runtime: str | None, models: tuple[str, ...], arena: Literal["shared", "separate"], **kwargs: Any
    ) -> Any:
        config = load_config(Path.cwd())
        chosen = runtime or config.runtime or RUNTIMES[0]
        first, *others = models or config.models or (None,)
        merged, further = merge_choices(config, chosen, {**kwargs, "model": first})
        joint = replace(merged, others=tuple(other for other in others if other is not None), arena=arena)
        return function(*args, choices=joint, **further)

    return _decorate(wrapper, (*_MODELS, _RUNTIME, *_BUILD))


def library_choices(function: Command) -> Command:
    """The same for a library: without a board it is for any core, and there is no choice of runtime or compiler."""

    @functools.wraps(function)
    def wrapper(
        *args: Any, models: tuple[str, ...], arena: Literal["shared", "separate"], board: str | None, **kwargs: Any
    ) -> Any:
        config = load_config(Path.cwd())
        first, *others = models or config.models or (None,)
        given = {**kwargs, "model": first, "board": board or config.board or PORTABLE_BOARD, "tflm": None}
        merged, further = merge_choices(config, "aot", {**given, "compiler": None})
        joint = replace(merged, others=tuple(other for other in others if other is not None), arena=arena)
        return function(*args, choices=joint, **further)

    return _decorate(wrapper, (*_MODELS, _DATA, _PYTHON, *_LIBRARY))


def several_choices(function: Command) -> Command:
    """The same for several runtimes: `choices` is a tuple, in the order the user gave."""

    @functools.wraps(function)
    def wrapper(*args: Any, runtime: str, **kwargs: Any) -> Any:
        config = load_config(Path.cwd())
        names = tuple(dict.fromkeys(name.strip() for name in runtime.split(",")))
        for name in names:
            if name not in RUNTIMES:
                raise UsageError(f"there is no runtime `{name}`", hint=f"choose of {', '.join(RUNTIMES)}")
        pairs = [merge_choices(config, name, kwargs) for name in names]
        return function(*args, choices=tuple(merged for merged, _ in pairs), **pairs[0][1])

    return _decorate(wrapper, (*_MODEL, _RUNTIMES, *_BUILD))


def building(function: Command) -> Command:
    """How a model is built and run, handed to the command as `how`: it is asked for each of several models."""

    @functools.wraps(function)
    def wrapper(
        *args: Any, runtime: str | None, emulator: str, inputs: str | None, samples: int | None, **kwargs: Any
    ) -> Any:
        given = {name: kwargs.pop(name) for name in list(kwargs) if name in _OF_CHOICES}

        def choices_of(model: str) -> Choices:
            config = load_config(Path.cwd())
            chosen = runtime or config.runtime or RUNTIMES[0]
            return merge_choices(config, chosen, {**given, "model": model})[0]

        return function(*args, how=RunChoices(choices_of, emulator, inputs, samples), **kwargs)

    return _decorate(wrapper, (_BOARD, _RUNTIME, *_BUILD, _EMULATOR, *_SAMPLING))


def merge_choices(config: Config, runtime: str, given: Mapping[str, Any]) -> tuple[Choices, dict[str, Any]]:
    """(the choices, the options that are none of them). Raises: UsageError without a model or a board."""
    model = given["model"] or config.model
    board = given["board"] or config.board
    if not model:
        raise UsageError(
            "no model given, and no `model` in tinyedge.toml or [tool.tinyedge] of pyproject.toml, here or above",
            hint="name one: `tinyedge run digits --board nrf52840`, or give the path of a model",
        )
    if not board:
        raise UsageError(
            "no board given, and no `board` in tinyedge.toml or [tool.tinyedge] of pyproject.toml, here or above",
            hint="name one: `--board nrf52840`; `tinyedge boards` lists them",
        )
    merged = Choices(
        model=model,
        board=board,
        compiler=given["compiler"] or config.compiler or "zig",
        runtime=runtime,
        tflm=given["tflm"] or config.tflm,
        optimize=given["optimize"] or config.optimize,
        keep_inputs=given["keep_inputs"],
        input_rows=given.get("arrives") == "rows",
        max_ram_bytes=_max_ram(config, runtime, given["max_ram"]),
        build_dir=(given["build_dir"] or config.build_dir or Path("build")).absolute(),
        data=given["data"] or config.data,
        calibration=given.get("calibration") or config.calibration,
        budget=None if config.budget is None else load_project_budget(Path.cwd()),
        conversion=Settings(python=given["python"]),
    )
    return merged, {name: value for name, value in given.items() if name not in _OF_CHOICES}


def _max_ram(config: Config, runtime: str, given: int | None) -> int | None:
    """Bytes: what the user gave; else the project's settings, for the runtime that can trade time for RAM.

    Raises: UsageError for what is no number of bytes
    """
    most = config.max_ram if given is None and runtime == RUNTIMES[0] else given
    if most is not None and (not isinstance(most, int) or isinstance(most, bool) or most < 1):
        raise UsageError(f"`max_ram` is {most!r}", hint="give a whole number of bytes, from 1 on")
    return most


def _decorate(function: Command, decorators: tuple[Callable[[Command], Command], ...]) -> Command:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function
