"""The options that commands share, and the settings of the project they start from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tinyedge.cli.config import load_config
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.pipeline import Choices

Command = Callable[..., Any]

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SHARED = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout."),
    click.option("-v", "--verbose", count=True, help="Say more on stderr."),
)
_CHOICES = (
    click.argument("model", required=False),
    click.option("-b", "--board", help="The board; `tinyedge boards` lists them."),
    click.option("--runtime", type=click.Choice(["aot", "tflm"]), help="Compiled ahead of time (default), or TFLM."),
    click.option("--tflm", type=_FOLDER, metavar="DIR", help="TensorFlow Lite Micro's tree. Default: TINYEDGE_TFLM."),
    click.option("--compiler", type=click.Choice(["zig", "gcc"]), help="Default: zig; gcc for the runtime tflm."),
    click.option(
        "--optimize", type=click.Choice(["size", "balanced", "speed"]), help="Default: the recipe's, else balanced."
    ),
    click.option("-d", "--build-dir", type=_FOLDER, help="Default: build."),
)


def shared(function: Command) -> Command:
    """`--json` and `-v`, handed to the command as `ui`."""

    @functools.wraps(function)
    def wrapper(*args: Any, as_json: bool, verbose: int, **kwargs: Any) -> Any:
        return function(*args, ui=Ui(as_json=as_json, verbose=verbose), **kwargs)

    return _decorate(wrapper, _SHARED)


def choices(function: Command) -> Command:
    """MODEL and the options of _CHOICES, merged with the settings of the project into `choices`."""

    @functools.wraps(function)
    def wrapper(
        *args: Any,
        model: str | None,
        board: str | None,
        runtime: str | None,
        tflm: Path | None,
        compiler: str | None,
        optimize: str | None,
        build_dir: Path | None,
        **kwargs: Any,
    ) -> Any:
        config = load_config(Path.cwd())
        chosen_model = model or config.model
        chosen_board = board or config.board
        if not chosen_model:
            raise UsageError(
                "no model given, and no `model` in tinyedge.toml or [tool.tinyedge] of pyproject.toml here",
                hint="name one: `tinyedge run digits --board nrf52840`, or give the path of a .tflite",
            )
        if not chosen_board:
            raise UsageError(
                "no board given, and no `board` in tinyedge.toml or [tool.tinyedge] of pyproject.toml here",
                hint="name one: `--board nrf52840`; `tinyedge boards` lists them",
            )
        chosen_runtime = runtime or config.runtime or "aot"
        merged = Choices(
            model=chosen_model,
            board=chosen_board,
            compiler=compiler or config.compiler or default_compiler(chosen_runtime),
            runtime=chosen_runtime,
            tflm=tflm or config.tflm,
            optimize=optimize or config.optimize,
            build_dir=(build_dir or config.build_dir or Path("build")).absolute(),
        )
        return function(*args, choices=merged, **kwargs)

    return _decorate(wrapper, _CHOICES)


def default_compiler(runtime: str) -> str:
    """The compiler that needs the least set-up: zig comes as a wheel, but brings no C++ library for boards."""
    return "gcc" if runtime == "tflm" else "zig"


def _decorate(function: Command, decorators: tuple[Callable[[Command], Command], ...]) -> Command:
    for decorator in reversed(decorators):
        function = decorator(function)
    return function
