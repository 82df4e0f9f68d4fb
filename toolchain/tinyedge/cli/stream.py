"""`tinyedge stream`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import choices as build_choices
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.stream import StreamChoices, stream
from tinyedge.report.streamed import judge_streamed, render_streamed, streamed_document

_FILE = click.Path(path_type=Path)


@click.command("stream", epilog="Example: tinyedge stream keyword.tflite hour.wav --board nrf52840 --labels hour.txt")
@build_choices
@click.argument("recording", type=_FILE)
@click.option("--labels", type=_FILE, help="What is to be heard: lines of start, end (s) and class, as Audacity's.")
@click.option(
    "--late",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="How long after its end a label may be detected, in s.",
)
@click.option("--emulator", default="auto", show_default=True, help="Which emulator; `auto` takes the board's first.")
@click.option("--port", help="Play it on the flashed board at this serial port, or `auto`: found by its USB ids.")
@shared
def command(
    choices: Choices,
    recording: Path,
    labels: Path | None,
    late: float,
    emulator: str,
    port: str | None,
    ui: Ui,
) -> None:
    """Play a recording through the firmware of a model that listens, and print what it heard.

    MODEL is a .tflite with a model.toml beside it, or a recipe, with a table [features] and, if the defaults do not
    do, [stream]. RECORDING is a .wav or a .csv. Every row of features, every output and every result of the device
    is compared with the host's. With labels, false accepts an hour and false rejects are counted.
    """
    if port is not None and emulator != "auto":
        raise UsageError("a board and an emulator were chosen", hint="`--port` or `--emulator`")
    how = StreamChoices(
        recording=recording,
        labels=labels,
        late_s=late,
        emulator=emulator,
        on_board=port is not None,
        port=None if port == "auto" else port,
    )
    with ui.commands_logged():
        streamed = stream(choices, how, ui)
    ui.result(render_streamed(streamed), streamed_document(streamed))
    judge_streamed(streamed)
