"""`python -m benchmarks.source_table`: networks of every world converted, and run on an emulated nrf52840.

Writes the table between the marks of docs/bring-your-own.md. PyTorch's rows need TINYEDGE_TORCH_PYTHON; without it, and
where only some networks or sources are asked for, the other rows stay as they are.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.source_networks import NAMES, SEQUENCES, digits
from tinyedge import process
from tinyedge.cli.ui import Ui
from tinyedge.convert import Settings, convert
from tinyedge.convert.torch import VARIABLE, find_python
from tinyedge.errors import TinyEdgeError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.run import run
from tinyedge.paths import write_whole

PAGE = Path(__file__).resolve().parents[1] / "docs" / "bring-your-own.md"
BEGIN, END = "<!-- table: python -m benchmarks.source_table -->", "<!-- end of table -->"
BOARD = "nrf52840"
_HEAD = (
    "| network | source | accuracy of the source | int8, host | int8, emulated | instructions |",
    "|---|---|---|---|---|---|",
)
_SAMPLES = 100
"""that are emulated"""
_TRAINING_S = 1800.0


@dataclass(frozen=True)
class World:
    """Where models come from: a folder of its own, the ends of its files, and whether it has channels first."""

    title: str
    folder: str
    suffix: str
    first: bool = False


WORLDS = (
    World("Keras 3", "keras3", ".keras"),
    World("Keras 2", "keras2", ".keras"),
    World("float .tflite", "keras3", ".tflite"),
    World("ONNX", "keras3", ".onnx", first=True),
    World("PyTorch", "torch", ".pt2", first=True),
)


@click.command()
@click.option("-d", "--build-dir", type=click.Path(path_type=Path), help="Default: a temporary folder.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
@click.option("--network", "names", multiple=True, type=click.Choice(NAMES), help="Default: all.")
@click.option(
    "--source", "sources", multiple=True, type=click.Choice([world.title for world in WORLDS]), help="Default: all."
)
def main(build_dir: Path | None, page: Path, names: tuple[str, ...], sources: tuple[str, ...]) -> None:
    """Train small networks, convert them from every world, run them, and write the table into PAGE."""
    with tempfile.TemporaryDirectory(prefix="tinyedge-sources-") as temporary:
        folder = (build_dir or Path(temporary)).absolute()
        data = _prepare(folder)
        made = {}
        for name in names or NAMES:
            for world in WORLDS:
                if (not sources or world.title in sources) and _source(world, name, folder).is_file():
                    made[name, world.title] = f"| {name} | {world.title} | {_cells(world, name, folder, data)} |"
                    click.echo(made[name, world.title])
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    old, _, after = rest.partition(END)
    rows = {**_rows(old), **made}
    ordered = [rows[key] for key in ((name, world.title) for name in NAMES for world in WORLDS) if key in rows]
    table = "\n".join((*_HEAD, *ordered))
    write_whole(page, f"{before}{BEGIN}\n\n{table}\n\n{END}{after}".encode())


def _rows(table: str) -> dict[tuple[str, str], str]:
    """The rows of a table that was written earlier, by network and source."""
    found = {}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 2 and cells[1] in NAMES:
            found[cells[1], cells[2]] = line
    return found


def _prepare(folder: Path) -> dict[str, Path]:
    """Train and save what is not there yet. Returns the data of each layout."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = digits()
    np.savez(folder / "train.npz", x=arrays["x"], y=arrays["y"])
    shapes = {"images": arrays["test_x"], "first": arrays["test_x"].transpose(0, 3, 1, 2)}
    shapes |= {"rows": arrays["test_x"][..., 0], "rows_first": arrays["test_x"][..., 0].transpose(0, 2, 1)}
    for name, samples in shapes.items():
        np.savez(folder / f"{name}.npz", x=samples, labels=arrays["test_y"])
    for version in (3, 2):
        made = folder / f"keras{version}"
        if not made.is_dir():
            made.mkdir()
            module = process.python_module("benchmarks.source_networks", str(version), str(made))
            process.run(module, timeout_s=_TRAINING_S, env={"PYTHONPATH": str(Path(__file__).resolve().parents[1])})
    if os.environ.get(VARIABLE) and not (folder / "torch").is_dir():
        (folder / "torch").mkdir()
        script = Path(__file__).with_name("source_torch.py")
        process.run([find_python(None), script, folder / "train.npz", folder / "torch"], timeout_s=_TRAINING_S)
    return {name: folder / f"{name}.npz" for name in shapes}


def _source(world: World, name: str, folder: Path) -> Path:
    return folder / world.folder / f"{name}{world.suffix}"


def _cells(world: World, name: str, folder: Path, data: dict[str, Path]) -> str:
    """The figures of one row, or why there are none."""
    source = _source(world, name, folder)
    if name in SEQUENCES:
        chosen = data["rows_first" if world.suffix == ".onnx" else "rows"]
    else:
        chosen = data["first" if world.first else "images"]
    ui = Ui()
    try:
        model = convert(source, chosen, Settings(), ui).model
        choices = Choices(str(source), BOARD, "zig", None, folder / "build", data=chosen)
        measured = run(choices, ui, samples=_SAMPLES)
    except TinyEdgeError as error:
        return f"refused, because {error.what.splitlines()[0]} | - | - | -"
    instructions = measured.run.instructions
    if measured.run.mismatches or instructions is None:
        return f"WRONG: {measured.run.mismatches} mismatches | - | - | -"
    device = measured.run.device_accuracy
    return (
        f"{model.float_accuracy:.3f} | {model.int8_accuracy:.3f} | {'-' if device is None else f'{device:.3f}'} | "
        f"{int(instructions.value):,}"
    )


if __name__ == "__main__":
    main()
