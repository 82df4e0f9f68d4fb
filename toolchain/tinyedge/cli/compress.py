"""`tinyedge compress`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from tinyedge.artifacts.compression import Limits
from tinyedge.cli.config import load_config
from tinyedge.cli.options import merge_choices, shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import CheckError, UsageError
from tinyedge.jobs.compress import compress, write_recipe
from tinyedge.jobs.last_training import choose
from tinyedge.jobs.train import find_model
from tinyedge.report.compression import compression_document, render_compression

_UNITS = {"": 1, "k": 1024, "M": 1024 * 1024}
_NOT_ASKED: dict[str, Any] = {"tflm": None, "keep_inputs": False, "max_ram": None, "data": None, "python": None}
_EXAMPLE = "Example: tinyedge compress digits --board nrf52840 --max-flash 16k --max-ram 4k --min-accuracy 0.95"


class _Size(click.ParamType[int]):
    """Bytes, with k for 1,024 or M for 1,048,576 of them."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        found = re.fullmatch(r"([0-9]{1,9})(?: ?([kM])i?B?)?", str(value))
        if found is None or not int(found[1]):
            self.fail(f"`{value}` is no size: write bytes, as 32768, or 32k", param, ctx)
        return int(found[1]) * _UNITS[found[2] or ""]


@click.command("compress", epilog=_EXAMPLE)
@click.argument("model", required=False)
@click.option("-b", "--board", help="The board; `tinyedge boards` lists them.")
@click.option("--max-flash", type=_Size(), metavar="SIZE", help="Of the image, at most: bytes, or 32k.")
@click.option("--max-ram", type=_Size(), metavar="SIZE", help="Of the image with its stack, at most.")
@click.option("--max-ms", type=click.FloatRange(min=0, min_open=True), help="Of an inference, at most.")
@click.option("--max-instructions", type=click.IntRange(min=1), help="Of an inference, at most.")
@click.option("--min-accuracy", type=click.FloatRange(0, 1), help="Of the int8 model over its test data, at least.")
@click.option("--tries", type=click.IntRange(min=1), default=8, show_default=True, help="Chains tried at most.")
@click.option("--quick", is_flag=True, help="A few epochs, as [quick] says: shows that all works, and no more.")
@click.option("--seed", type=click.IntRange(0, (1 << 32) - 1), help="Default: that of the recipe.")
@click.option("--compiler", type=click.Choice(["zig", "gcc"]), help="Default: zig.")
@click.option(
    "--optimize", type=click.Choice(["size", "balanced", "speed"]), help="Default: the recipe's, else balanced."
)
@click.option("-d", "--build-dir", type=click.Path(file_okay=False, path_type=Path), help="Default: build.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the winning recipe.toml goes. Default: compressed.toml in the model's build folder.",
)
@shared
def command(
    model: str | None,
    board: str | None,
    max_flash: int | None,
    max_ram: int | None,
    max_ms: float | None,
    max_instructions: int | None,
    min_accuracy: float | None,
    tries: int,
    quick: bool,
    seed: int | None,
    compiler: str | None,
    optimize: str | None,
    build_dir: Path | None,
    output: Path | None,
    ui: Ui,
) -> None:
    """Find a compressed model that fits: try chains of techniques until an image meets every limit.

    MODEL is a recipe. It is trained as it is first, then with chains of prune_channels, int4, cluster, prune and
    quantize_aware, those first that promise most by what was measured. Each is built, run in an emulator, verified and
    counted. The search stops at the first that fits, or says how near the best came (exit code 1), and writes its
    recipe.toml. Trainings are kept: a search that was interrupted goes on.
    """
    limits = Limits(max_flash, max_ram, None if max_ms is None else max_ms * 1000, max_instructions, min_accuracy)
    if not limits.to_json():
        raise UsageError(
            "no limit given: any model fits",
            hint="one or more of `--max-flash 32k --max-ram 8k --max-ms 10 --max-instructions N --min-accuracy 0.9`",
        )
    given = {"model": model, "board": board, "compiler": compiler, "optimize": optimize, "build_dir": build_dir}
    choices, _ = merge_choices(load_config(Path.cwd()), "aot", given | _NOT_ASKED)
    found = find_model(str(choices.model), ui)
    if isinstance(found, Path):
        raise UsageError(
            f"`{found}` is a finished model; there is nothing to train",
            hint="name a recipe, as `digits`; `tinyedge new` makes one of your data",
        )
    recipe = choose(found, quick=quick, seed=seed)
    with ui.commands_logged():
        done = compress(recipe, choices, limits, ui, most_tries=tries)
    path = output or choices.build_dir / recipe.name / "compressed.toml"
    write_recipe(recipe, done, path)
    ui.note(f"the recipe of `{done.best.name if done.best else ''}` is in {path}")
    ui.result(render_compression(done), compression_document(done))
    if not done.fits:
        raise CheckError(
            "no try met every limit", hint="a looser limit, more `--tries`, or a smaller network in model.py"
        )
