"""The command line: one file per command; the only room that prints, and the only user of click and exit codes."""

from __future__ import annotations

import errno
import importlib
import sys
import traceback
from collections.abc import Sequence

import click

from tinyedge import __version__
from tinyedge.cli.ui import printable
from tinyedge.errors import InternalError, Interrupted, TinyEdgeError, UsageError

COMMANDS = {
    "bench": "Build, run and measure a model with several runtimes, side by side.",
    "boards": "List the boards, or describe one.",
    "build": "Build the firmware of a model for a board.",
    "calibrate": "Find how long a board waits for its memory, by measuring on it.",
    "check": "Tell what is wrong with a model, from its file alone.",
    "collect": "Record what a board sends, as files that recipes read.",
    "compare": "Compare runs, models or folders; exit 1 on a regression.",
    "completion": "Print what completes commands in bash, zsh or fish.",
    "compress": "Find a compressed model that fits a board, by trying chains of techniques.",
    "convert": "Convert a Keras, ONNX, PyTorch or float .tflite model to int8, and compare.",
    "doctor": "Check the tools the main job needs.",
    "explain": "Say what a code of `tinyedge check` means.",
    "export": "Write a model as a C library for the world you build in.",
    "lock": "Write down what a firmware is made from, in tinyedge.lock.",
    "new": "Start a project of your own, from a template or from your data.",
    "fit": "Show which boards a model fits, and what it takes there, without a build.",
    "inspect": "Show what a model holds: operators, types, weights, and what becomes of them.",
    "ops": "List the operators, or the rules of one.",
    "flash": "Write the firmware of a model to a board and prove that it runs.",
    "monitor": "Show what a board sends.",
    "outdated": "Show what is not as tinyedge.lock says.",
    "plan": "Show kernels, order and memory of a model on a board.",
    "run": "Build, run in an emulator, verify every output and measure.",
    "stream": "Play a recording through a firmware that listens, and print what it heard.",
    "train": "Train, compress and convert a model of a recipe.",
    "verify": "Hold every output of a flashed board against TensorFlow Lite Micro.",
}
"""Command -> its line in `tinyedge --help`; the module of the same name is imported only when the command is used."""


class _LazyGroup(click.Group):
    """Imports a command when it is called, so that `tinyedge --help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"tinyedge.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: tinyedge run digits --board nrf52840",
)
@click.version_option(__version__, message="tinyedge %(version)s")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def group(context: click.Context, debug: bool) -> None:
    """From a Keras recipe or any trained model to measured int8 firmware on a microcontroller."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
    else:
        _sweep()


def _sweep() -> None:
    """Remove what calls that were killed left among the temporary files, whether or not this one needs any."""
    from tinyedge.paths import sweep_temporary

    sweep_temporary()


def execute(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code. Nothing but `--debug` lets a traceback reach the user."""
    debug = "--debug" in arguments
    try:
        code = group.main([a for a in arguments if a != "--debug"], prog_name="tinyedge", standalone_mode=False)
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stdout = None
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            traceback.print_exc()
        told = _told(error)
        click.echo(f"error: {printable(told.what)}", err=True)
        if hint := _hint(told):
            click.echo(f"\nhint: {printable(hint)}", err=True)
        return told.exit_code
    return code if isinstance(code, int) else 0  # what `click.exceptions.Exit` asked for


def _hint(error: TinyEdgeError) -> str:
    """What a user can do, and where more is said of it."""
    more = f"`tinyedge explain {error.code}` says more" if error.code else ""
    return "; ".join(filter(None, (error.hint, more)))


def _is_interruption(error: BaseException | None) -> bool:
    """Whether Ctrl-C is the cause: an import that it breaks off may raise an error of its own."""
    while error is not None and not isinstance(error, (KeyboardInterrupt, click.Abort)):
        error = error.__cause__ or (error.__context__ if isinstance(error, ImportError) else None)
    return error is not None


def _told(error: BaseException) -> TinyEdgeError:
    """Whatever went wrong, in the form a user is told it."""
    match error:
        case TinyEdgeError():
            return error
        case click.UsageError():
            command = error.ctx.command_path if error.ctx else "tinyedge"
            return UsageError(error.format_message().rstrip("."), hint=f"`{command} --help` shows what it takes")
        case _ if _is_interruption(error):
            return Interrupted(
                "interrupted; what was finished is kept, nothing is half-written",
                hint="the same command goes on from there",
            )
        case OSError():
            where = f"`{error.filename}`: " if error.filename else ""
            refused = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
            kind = UsageError if refused else TinyEdgeError
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return TinyEdgeError(
                    f"{where}{error.strerror}",
                    hint="free some space, or put things elsewhere: `--build-dir DIR`, TINYEDGE_CACHE for the cache",
                )
            return kind(f"{where}{error.strerror or error}", hint="`--build-dir DIR` puts what is made elsewhere")
        case _:
            return InternalError(
                f"a defect of tinyedge: {type(error).__name__}: {error}",
                hint="run it again with `tinyedge --debug ...` and report the traceback",
            )
