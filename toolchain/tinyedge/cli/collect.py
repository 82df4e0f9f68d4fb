"""`tinyedge collect`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.collect import BrokenCollectError, Collected, CollectSettings
from tinyedge.collect.contract import Kind, TimeUnit
from tinyedge.errors import UsageError
from tinyedge.jobs.collect import Sender, collect_from
from tinyedge.paths import templates_dir
from tinyedge.report.collected import collect_document, render_collected

_AUDIO_HZ = 16_000.0


def _print_sender(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    """The header that a board's program includes, on stdout."""
    del option
    if wanted:
        click.echo((templates_dir() / "collect" / "te_frame.h").read_text(encoding="utf-8"), nl=False)
        context.exit()


@click.command("collect", epilog="Example: tinyedge collect --port /dev/ttyACM0 --kind imu --label wave -o data")
@click.option("--kind", type=click.Choice(["imu", "audio"]), required=True, help="Axes as .csv, or sound as .wav.")
@click.option("--label", required=True, help="What is recorded: the folder within the output folder.")
@click.option("-o", "--output", type=click.Path(file_okay=False, path_type=Path), default="data", show_default=True)
@click.option("--port", help="A serial port, socket://host:port, rfc2217://host:port, or a file of what a board sent.")
@click.option("-b", "--board", help="The board, whose USB ids and baud rate are used.")
@click.option("--baud", type=click.IntRange(min=1), help="Default: the board's, else 115,200.")
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), help="Of a recording. Default: until Ctrl-C ends it."
)
@click.option("--count", type=click.IntRange(min=1), help="How many recordings, one after the other. Default: 1.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0.01, max=1e6),
    help="Samples a second, which are checked. Default: as measured; of audio 16000.",
)
@click.option("--axes", metavar="NAME,...", help="Names of the columns. Default: as the board sends them.")
@click.option(
    "--time",
    type=click.Choice(["auto", "none", "s", "ms", "us"]),
    default="auto",
    show_default=True,
    help="Unit of a first column that is a time; `auto`: by its name.",
)
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="Silence that ends it, in s."
)
@click.option(
    "--sender",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_sender,
    help="Print a sender in C, te_frame.h.",
)
@click.option("--dry-run", is_flag=True, help="Say what comes and how fast, and write nothing.")
@shared
def command(
    kind: Kind,
    label: str,
    output: Path,
    port: str | None,
    board: str | None,
    baud: int | None,
    seconds: float | None,
    count: int | None,
    rate: float | None,
    axes: str | None,
    time: TimeUnit,
    timeout: float,
    dry_run: bool,
    ui: Ui,
) -> None:
    """Record what a board sends, as the files that recipes read: OUTPUT/LABEL/LABEL.0001.csv, or .wav.

    A board sends lines of numbers, a line a sample, with commas or tabs between the axes; or frames of int16 with a
    checksum, for which docs/collect.md has a sender in C. Which of both it is tells itself. A hole in what comes ends
    a recording and begins the next; Ctrl-C and a pulled cable keep what was received.
    """
    if count is not None and seconds is None:
        raise UsageError("`--count` needs the length of a recording", hint="`--seconds 2`")
    settings = CollectSettings(
        kind=kind,
        label=label,
        folder=output,
        seconds=seconds,
        count=count or 1,
        rate_hz=rate or (_AUDIO_HZ if kind == "audio" else None),
        axis_names=_names(axes),
        time=time,
        timeout_s=timeout,
    )
    try:
        _show(collect_from(Sender(port, board, baud), settings, ui, only_look=dry_run), ui, dry_run=dry_run)
    except BrokenCollectError as broken:
        if broken.partial.recordings:
            _show(broken.partial, ui, dry_run=dry_run)
        raise broken.error from broken


def _show(collected: Collected, ui: Ui, *, dry_run: bool) -> None:
    for note in collected.notes:
        ui.note(note)
    ui.result(render_collected(collected, dry_run=dry_run), collect_document(collected, dry_run=dry_run))
    if dry_run:
        ui.note("dry run: nothing was written")


def _names(axes: str | None) -> tuple[str, ...]:
    """Raises: UsageError for names that no CSV could hold."""
    names = tuple(name.strip() for name in axes.split(",")) if axes else ()
    for name in names:
        if not name or not name.isprintable() or any(sign in name for sign in '",;'):
            raise UsageError(f"`{name}` cannot name an axis", hint="`--axes ax,ay,az`")
    if len(set(names)) < len(names):
        raise UsageError(f"`--axes {axes}` has a name twice", hint="`--axes ax,ay,az`")
    return names
