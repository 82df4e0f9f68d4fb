"""Models as a library in a project of somebody's world: a folder, or an archive of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tinyedge.artifacts import CLibrary, Observer, Prepared
from tinyedge.build import make_flags
from tinyedge.errors import InternalError, UsageError
from tinyedge.export import World, find_world, to_zip
from tinyedge.generate.joint import PlannedModel, check_distinct
from tinyedge.generate.names import c_name, check_c_name
from tinyedge.generate.project import generate_joint_project
from tinyedge.generate.standalone import generate_library
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare
from tinyedge.measure.reference import selftest_crc
from tinyedge.paths import write_folder, write_whole


@dataclass(frozen=True)
class ExportChoices:
    """How to export.

    world   a name of `export.worlds`
    output  folder, or the file of an archive; None: named after library and world, in the current folder
    name    of the library in C, and of its model if that is one; None: the model's, or those of all joined
    zipped  an archive instead of a folder
    force   write into a folder that holds something, or over an archive
    """

    world: str
    output: Path | None = None
    name: str | None = None
    zipped: bool = False
    force: bool = False


@dataclass(frozen=True, eq=False)
class Exported:
    """What was written."""

    library: CLibrary
    world: World
    output: Path
    files: Mapping[str, bytes]


def export(choices: Choices, how: ExportChoices, observer: Observer) -> Exported:
    """Write the models of `choices` as a library for a world; all of it or nothing.

    Raises: UsageError when there is no such world, a name is none in C, two models have one, or what is there already
    would be overwritten; what `prepare` raises
    """
    world = find_world(how.world)
    if how.name is not None:
        check_c_name(how.name)
    if how.output is not None:
        check_output(how.output, how)  # before minutes are spent on a training
    prepared = [prepare(chosen, observer) for chosen in choices.of_each_model()]
    if how.name is not None and len(prepared) == 1:
        prepared = [replace(prepared[0], model=replace(prepared[0].model, name=how.name))]
    check_distinct([each.model.name for each in prepared])
    name = how.name or "_".join(c_name(each.model.name) for each in prepared)
    output = how.output or Path(f"{name}-{world.name}{'.zip' if how.zipped else ''}")
    check_output(output, how)
    library = _library(name, prepared, shared_arena=choices.arena == "shared")
    files = world.files(library)
    if how.zipped:
        _write_file(output, to_zip(name, files))
    else:
        _write_folder(output, files)
    return Exported(library, world, output, files)


def check_output(output: Path, how: ExportChoices) -> None:
    """Raises: UsageError when something is there that would be overwritten, or cannot be."""
    if how.zipped:
        if output.is_dir():
            raise UsageError(f"`{output}` is a folder", hint="`-o FILE.zip` names the archive")
        if output.exists() and not how.force:
            raise UsageError(f"`{output}` is there already: nothing was written", hint="`--force` writes it anew")
        return
    if output.exists() and not output.is_dir():
        raise UsageError(f"`{output}` is no folder", hint="`-o DIR` names another; `--zip` writes an archive")
    if output.is_dir() and any(output.iterdir()) and not how.force:
        raise UsageError(
            f"the folder `{output}` is not empty: nothing was written",
            hint="`-o DIR` names another; `--force` writes into it, over files of the same names",
        )


def _library(name: str, prepared: list[Prepared], *, shared_arena: bool) -> CLibrary:
    board = prepared[0].board
    models = []
    for each in prepared:
        if each.memory is None:
            raise InternalError(f"model `{each.model.name}` was prepared for the runtime `{each.runtime}`")
        models.append(PlannedModel(each.memory, each.model, selftest_crc(each.memory.graph)))
    project = generate_joint_project(models, board, make_flags=make_flags(board), shared_arena=shared_arena)
    return generate_library(name, models, board.core, project, shared_arena=shared_arena)


def _write_file(output: Path, content: bytes) -> None:
    try:
        write_whole(output, content)
    except OSError as error:
        raise _cannot_write(output, error) from error


def _write_folder(output: Path, files: Mapping[str, bytes]) -> None:
    """A new folder appears whole; in one that is there each file does."""
    try:
        if output.is_dir() and any(output.iterdir()):
            for name, content in files.items():
                write_whole(output / name, content)
            return
        write_folder(output, files)
    except OSError as error:
        raise _cannot_write(output, error) from error


def _cannot_write(output: Path, error: OSError) -> UsageError:
    return UsageError(f"`{output}` cannot be written: {error.strerror or error}", hint="`-o` names another place")
