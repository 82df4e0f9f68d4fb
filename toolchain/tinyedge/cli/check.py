"""`tinyedge check`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.config import load_config
from tinyedge.cli.options import converting, shared
from tinyedge.cli.ui import Ui
from tinyedge.convert import Settings
from tinyedge.errors import UsageError
from tinyedge.jobs.check import check, require_sound
from tinyedge.report.diagnosis import diagnosis_document, render_diagnosis

_EXAMPLES = """\b
Examples: tinyedge check net.tflite
          tinyedge check net.tflite --strict --ignore TE216 --json"""


@click.command("check", epilog=_EXAMPLES)
@click.argument("model", required=False)
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too, not for errors alone.")
@click.option(
    "--ignore",
    metavar="CODE,...",
    multiple=True,
    help="Leave these codes out; also `ignore` of [check] in tinyedge.toml.",
)
@click.option("-d", "--build-dir", type=click.Path(file_okay=False, path_type=Path), help="Default: build.")
@converting
@shared
def command(
    model: str | None,
    strict: bool,
    ignore: tuple[str, ...],
    build_dir: Path | None,
    data: Path | None,
    python: str | None,
    ui: Ui,
) -> None:
    """Tell what is wrong with a model, and what to do: from its file alone, whether or not it can be built.

    MODEL is a .tflite, float or quantized, a recipe's name or folder, or what `tinyedge convert` takes, with `--data`;
    without it, `model` of tinyedge.toml. `tinyedge explain` says what the codes mean.
    """
    config = load_config(Path.cwd())
    spec = model or config.model
    if not spec:
        raise UsageError(
            "no model given, and no `model` in tinyedge.toml or [tool.tinyedge] of pyproject.toml, here or above",
            hint="name one: `tinyedge check net.tflite`",
        )
    found = check(
        spec,
        (build_dir or config.build_dir or Path("build")).absolute(),
        ui,
        ignore=[*config.check.ignore, *(code for codes in ignore for code in codes.split(","))],
        data=data or config.data,
        settings=Settings(python=python),
    )
    ui.result(render_diagnosis(found), diagnosis_document(found))
    require_sound(found, strict=strict)
