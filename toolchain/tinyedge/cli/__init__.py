"""The command line: one file per command; the only room that prints, and the only user of click and exit codes."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence

import click

from tinyedge import __version__
from tinyedge.errors import InternalError, TinyEdgeError, UsageError

COMMANDS = {
    "boards": "List the boards, or describe one.",
    "build": "Build the firmware of a model for a board.",
    "doctor": "Check the tools the main job needs.",
    "plan": "Show kernels, order and memory of a model on a board.",
    "run": "Build, run in an emulator, verify every output and measure.",
    "train": "Train, compress and convert a model of a recipe.",
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
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: tinyedge run digits --board nrf52840",
)
@click.version_option(__version__, message="tinyedge %(version)s")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def group(debug: bool) -> None:
    """From a Keras recipe or a .tflite to measured int8 firmware on a microcontroller."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code. Nothing but `--debug` lets a traceback reach the user."""
    debug = "--debug" in arguments
    try:
        result = group.main([a for a in arguments if a != "--debug"], prog_name="tinyedge", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except TinyEdgeError as error:
        if debug:
            traceback.print_exc()
        return _fail(error)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        return _fail(_usage(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo("\ninterrupted; finished artifacts are kept, nothing half-written is left", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if debug:
            traceback.print_exc()
        where = f"`{error.filename}`: " if error.filename else ""
        return _fail(
            TinyEdgeError(f"{where}{error.strerror or error}", hint="choose another folder with `--build-dir DIR`")
        )
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _fail(
            InternalError(
                f"a defect of tinyedge: {type(error).__name__}: {error}",
                hint="run it again with `tinyedge --debug ...` and report the traceback",
            )
        )


def _usage(error: click.UsageError) -> UsageError:
    command = error.ctx.command_path if error.ctx else "tinyedge"
    return UsageError(error.format_message().rstrip("."), hint=f"`{command} --help` shows what it takes")


def _fail(error: TinyEdgeError) -> int:
    click.echo(f"error: {error.what}", err=True)
    if error.hint:
        click.echo(f"\nhint: {error.hint}", err=True)
    return error.exit_code


def main() -> None:
    """Entry point of the `tinyedge` program."""
    sys.exit(run(sys.argv[1:]))
