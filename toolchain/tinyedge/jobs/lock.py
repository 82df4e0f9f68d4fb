"""tinyedge.lock: what a firmware was made from, written down, and compared with what is here."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyedge import __version__
from tinyedge.artifacts import Built, Observer
from tinyedge.artifacts.lock import Drift, Lock, LockedBuild, build_drifts, environment_drifts
from tinyedge.boards import load_board
from tinyedge.build import select_compiler
from tinyedge.convert import recognize
from tinyedge.convert.conversion import source_name
from tinyedge.data import source_digest
from tinyedge.digests import digest
from tinyedge.errors import CheckError, UsageError
from tinyedge.install import DISTRIBUTION
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.last_training import as_last_trained
from tinyedge.jobs.train import find_model, load_model
from tinyedge.paths import boards_dir, templates_dir, write_whole
from tinyedge.report.lock import LOCK_FILE, lock_text, read_lock
from tinyedge.train import Recipe

_PACKAGE = Path(__file__).parents[1]
_EXTRAS_OF_RECIPES = frozenset({"", "train", "data"})
_EXTRAS_OF_CONVERSIONS = frozenset({"", "import", "data"})


@dataclass(frozen=True)
class _Inputs:
    """What is known of a firmware before anything is trained or built, and the extras of tinyedge that it needs."""

    build: LockedBuild
    extras: frozenset[str]


def lock(choices: Choices, folder: Path, observer: Observer) -> tuple[Lock, Path]:
    """Build the firmware and write down what it was made from, into the tinyedge.lock of `folder`; what the file says
    of other firmwares stays.

    Raises: UsageError for several models in one firmware, or a lock that cannot be read; else as `build`
    """
    _require_single(choices)
    path = folder / LOCK_FILE
    before = read_lock(path) if path.exists() else None
    inputs = _inputs(choices, folder, observer)
    made = _complete(inputs.build, build(choices, observer))
    others = () if before is None else tuple(each for each in before.builds if each.key != made.key)
    here = environment(inputs.extras)
    packages = {**(before.packages if before is not None and others else {}), **here.packages}
    found = replace(here, packages=packages, builds=tuple(sorted((*others, made), key=lambda each: each.key)))
    write_whole(path, lock_text(found).encode())
    return found, path


def build_locked(choices: Choices, folder: Path, observer: Observer) -> Built:
    """Build a firmware that is to be the locked one.

    Raises: UsageError without a lock, or when it says nothing of this firmware; CheckError that names what drifted,
    before anything is trained or compiled wherever that shows
    """
    _require_single(choices)
    locked = require_lock(folder)
    inputs = _inputs(choices, folder, observer)
    entry = _entry(locked, inputs.build)
    _refuse([*_environment_drifts(locked, inputs.extras), *build_drifts(entry, inputs.build)])
    if not inputs.build.model_digest:
        made = load_model(choices.model, choices.build_dir, observer, choices.data, choices.conversion).model
        _refuse(build_drifts(entry, replace(inputs.build, model_digest=made.digest)))
    built = build(choices, observer)
    complete = _complete(inputs.build, built)
    if locked.system != system():  # another system's linker may lay out an equal program otherwise
        complete = replace(complete, image_digest="")
    _refuse(build_drifts(entry, complete))
    return built


def find_drifts(locked: Lock, folder: Path, basis: Choices, observer: Observer) -> tuple[Drift, ...]:
    """Everything that is not as it was locked, without training or building anything.

    basis  the choices that locks say nothing of
    """
    drifts: dict[str, Drift] = {}
    for entry in locked.builds:
        try:
            inputs = _inputs(_choices_of(entry, folder, basis), folder, observer)
        except UsageError as error:
            told = Drift(f"{entry.model} on {entry.board}", entry.source, error.what)
            drifts[told.what] = told
            continue
        found = (*_environment_drifts(locked, inputs.extras), *build_drifts(entry, inputs.build))
        drifts |= {each.what: each for each in found}
    return tuple(drifts.values())


def require_lock(folder: Path) -> Lock:
    """Raises: UsageError when there is none, or it cannot be read."""
    path = folder / LOCK_FILE
    if not path.exists():
        raise UsageError(f"there is no `{path.name}` in `{folder}`", hint="`tinyedge lock` writes one")
    return read_lock(path)


def environment(extras: frozenset[str]) -> Lock:
    """tinyedge, Python and the packages of some extras, without any firmware."""
    return Lock(
        tinyedge=__version__,
        code=_folder_digest(_PACKAGE, (".py", ".c", ".h", ".j2")),
        templates=_folder_digest(templates_dir(), ()),
        python=platform.python_version(),
        system=system(),
        packages=dict(_packages(extras)),
    )


def system() -> str:
    """The operating system and the processor."""
    return f"{platform.system()} {platform.machine()}"


def _environment_drifts(locked: Lock, extras: frozenset[str]) -> tuple[Drift, ...]:
    """Of what takes part in a firmware. What only other systems install is not missing here."""
    here = environment(extras)
    told = {
        name for name, extra, anywhere in _requirements() if extra in extras and (anywhere or name in here.packages)
    }
    relevant = {name: version for name, version in locked.packages.items() if name in told}
    return environment_drifts(replace(locked, packages=relevant), here)


def _packages(extras: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name in sorted({name for name, extra, _ in _requirements() if extra in extras}):
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def _requirements() -> Iterator[tuple[str, str, bool]]:
    """(package, extra that asks for it, whether every system has it) by tinyedge's own metadata."""
    for line in importlib.metadata.requires(DISTRIBUTION) or ():
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        name = re.match(r"[\w.-]+", line)
        if name is not None:
            yield name[0].lower(), extra[1] if extra else "", "platform" not in line


def _inputs(choices: Choices, folder: Path, observer: Observer) -> _Inputs:
    board = load_board(choices.board)
    build = LockedBuild(
        source="",
        model="",
        board=board.name,
        compiler=select_compiler(choices.compiler, board.core).title,
        runtime=choices.runtime,
        optimize=choices.optimize or "",
        board_digest=digest((boards_dir() / f"{board.name}.toml").read_bytes()),
        data="" if choices.data is None else _relative(choices.data, folder),
        data_digest="" if choices.data is None else source_digest(choices.data),
    )
    if not isinstance(choices.model, str):
        raise UsageError("a model in memory cannot be locked", hint="write it into a file")
    found = find_model(choices.model, observer)
    if isinstance(found, Recipe):
        found = as_last_trained(found, choices.build_dir, observer)
        files = [found.folder / "recipe.toml", *sorted(found.folder.glob("*.py"))]
        data = found.folder / str(found.data["source"]) if found.has_source else found.folder / "data"
        recipe = replace(
            build,
            source=_relative(found.folder, folder) if Path(choices.model).exists() else choices.model,
            model=found.name,
            optimize=build.optimize or found.optimize,
            recipe_digest=digest(*(part for file in files for part in (file.name, file.read_bytes()))),
            data_digest=digest(*map(source_digest, (data, *found.noise_sources))),
        )
        return _Inputs(recipe, _EXTRAS_OF_RECIPES)
    build = replace(
        build, source=_relative(found, folder), model=source_name(found), optimize=build.optimize or "balanced"
    )
    if recognize(found) is not None:
        return _Inputs(replace(build, recipe_digest=source_digest(found)), _EXTRAS_OF_CONVERSIONS)
    model = load_model(choices.model, choices.build_dir, observer).model
    return _Inputs(replace(build, model=model.name, model_digest=model.digest), frozenset({""}))


def _choices_of(entry: LockedBuild, folder: Path, basis: Choices) -> Choices:
    """What was chosen when it was locked, as far as a lock says it."""
    there = folder / entry.source
    return replace(
        basis,
        model=str(there) if there.exists() else entry.source,
        others=(),
        board=entry.board,
        compiler=entry.key[-1],
        runtime=entry.runtime,
        optimize=entry.optimize,
        data=folder / entry.data if entry.data else None,
    )


def _relative(path: Path, folder: Path) -> str:
    """As the lock names it: from its folder, with `/`."""
    try:
        return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


def _complete(inputs: LockedBuild, built: Built) -> LockedBuild:
    """With what is known once it is built."""
    return replace(
        inputs,
        model=built.prepared.model.name,
        compiler=built.image.compiler,
        optimize=built.prepared.plan.optimize,
        model_digest=built.prepared.model.digest,
        project_digest=built.project.digest,
        image_digest=built.image.digest,
    )


def _entry(locked: Lock, wanted: LockedBuild) -> LockedBuild:
    """Raises: UsageError when the lock says nothing of this firmware."""
    for each in locked.builds:
        if each.key == wanted.key:
            return each
    model, board, runtime, compiler = wanted.key
    raise UsageError(
        f"`{LOCK_FILE}` says nothing of `{model}` on `{board}` with {compiler} and the runtime `{runtime}`",
        hint="`tinyedge lock` with the same options adds it",
    )


def _require_single(choices: Choices) -> None:
    """Raises: UsageError for several models in one firmware."""
    if choices.others:
        raise UsageError("a lock is of firmwares of one model each", hint="lock and build each by itself")


def _refuse(drifts: Sequence[Drift]) -> None:
    """Raises: CheckError that names everything that drifted."""
    if drifts:
        raise CheckError(
            f"{len(drifts)} thing{'s' if len(drifts) > 1 else ''} drifted from `{LOCK_FILE}`:\n       "
            + "\n       ".join(map(str, drifts)),
            hint="restore what the lock says; or, if the change is meant, `tinyedge lock` takes it in",
        )


def _folder_digest(folder: Path, suffixes: tuple[str, ...]) -> str:
    """Of the names and contents of the files of a folder, those of some suffixes or all; not of the wheel's data."""
    parts: list[str | bytes] = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if inside.parts[0] == "_data" or "__pycache__" in inside.parts or not path.is_file():
            continue
        if not suffixes or path.suffix in suffixes:
            parts += [inside.as_posix(), path.read_bytes()]
    return digest(*parts)
