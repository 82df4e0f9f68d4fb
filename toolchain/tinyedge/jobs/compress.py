"""Chains of techniques tried one after the other until an image meets limits.

Trainings are kept as those of `tinyedge train` are, so that a search that was interrupted goes on where it was.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tinyedge.artifacts import Observer
from tinyedge.artifacts.compression import Compression, ImageFigures, Limits, Try
from tinyedge.artifacts.image import Built
from tinyedge.artifacts.run import Run
from tinyedge.errors import FitError, InternalError, ModelError, UsageError
from tinyedge.jobs.chains import Chain, in_order_of_promise, list_chains
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.run import run
from tinyedge.jobs.train import train
from tinyedge.paths import write_whole
from tinyedge.tables import read_toml
from tinyedge.train.recipe import Recipe, read_recipe_table
from tinyedge.train.recipe_text import table_of, with_techniques

_SAMPLES = 3
"""whose outputs are verified and whose instructions are counted for each try"""


def compress(
    recipe: Recipe, choices: Choices, limits: Limits, observer: Observer, *, most_tries: int = 8
) -> Compression:
    """Try chains in order of promise. Stops at the first that meets all limits.

    choices  what the images are built with; the model in it does not count

    Raises: UsageError when a limit is of what nobody knows of this model or board; what training and building raise
            for the model as its recipe has it
    """
    own = Chain("as the recipe has it", recipe.compress)
    tries: list[Try] = []
    try:
        first = _figures(recipe, own, choices, observer)
        _check(limits, first, choices.board)
        tries.append(Try(own.name, _tables(own), first))
    except FitError as error:  # what a search is for
        first = None
        tries.append(Try(own.name, _tables(own), refused=error.what))
    _tell(tries[0], limits, 1, observer)
    chains = [chain for chain in list_chains(recipe) if chain.techniques != own.techniques]
    for chain in in_order_of_promise(chains, first, limits)[: most_tries - 1]:
        if tries[-1].fits(limits):
            break
        try:
            tries.append(Try(chain.name, _tables(chain), _figures(recipe, chain, choices, observer)))
        except (ModelError, FitError, UsageError) as error:
            tries.append(Try(chain.name, _tables(chain), refused=error.what))
        _tell(tries[-1], limits, len(tries), observer)
    return Compression(recipe.name, choices.board, limits, tuple(tries))


def write_recipe(recipe: Recipe, found: Compression, path: Path) -> None:
    """Write recipe.toml with the techniques of the best try.

    Raises: UsageError when it cannot be written, or nothing was trained
    """
    best = found.best
    if best is None:
        raise UsageError("no chain could be trained: there is no recipe to write")
    old = recipe.folder / "recipe.toml"
    text = with_techniques(old.read_text(encoding="utf-8"), best.techniques)
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {error.strerror or error}") from error
    written = read_recipe_table(read_toml(path), recipe.folder)
    if [table_of(technique) for technique in written.compress] != [dict(table) for table in best.techniques]:
        raise InternalError(f"the techniques written into {path} do not come back")


def _tables(chain: Chain) -> tuple[dict[str, object], ...]:
    return tuple(table_of(technique) for technique in chain.techniques)


def _figures(recipe: Recipe, chain: Chain, choices: Choices, observer: Observer) -> ImageFigures:
    """Train, build and count."""
    model = train(replace(recipe, compress=chain.techniques), choices.build_dir, observer)
    chosen = replace(
        choices,
        model=model,
        optimize=choices.optimize or recipe.optimize,
        max_ram_bytes=choices.max_ram_bytes or recipe.max_ram,
    )
    measured = run(chosen, observer, samples=_SAMPLES)
    return image_figures(measured.built, measured.run)


def image_figures(built: Built, done: Run) -> ImageFigures:
    """What is compared of an image that ran."""
    model, size = built.prepared.model, built.image.size
    latency = done.latency_us
    return ImageFigures(
        flash_bytes=size.flash_bytes,
        ram_bytes=size.ram_bytes,
        constant_bytes=size.constant_bytes,
        instructions=None if done.instructions is None else round(done.instructions.value),
        latency_us=None if latency is None else latency.upper or latency.value,
        accuracy=model.int8_accuracy,
        float_accuracy=model.float_accuracy,
        train_seconds=model.metrics.get("train_cpu_seconds", 0.0),
        mismatches=done.mismatches,
    )


def _check(limits: Limits, first: ImageFigures, board: str) -> None:
    """Raises: UsageError for a limit that cannot be judged."""
    if limits.latency_us is not None and first.latency_us is None:
        raise UsageError(
            f"nobody knows milliseconds of `{board}`: how long it waits for its memory was not measured",
            hint="`--max-instructions` limits what is counted; `tinyedge calibrate` measures a board",
        )
    if limits.instructions is not None and first.instructions is None:
        raise UsageError(f"nothing counts instructions of `{board}`", hint="leave out `--max-instructions`")
    if limits.accuracy is not None and first.accuracy is None:
        raise UsageError("the model has no accuracy: its task is no classification", hint="leave out `--min-accuracy`")


def _tell(tried: Try, limits: Limits, number: int, observer: Observer) -> None:
    over = [excess.text for excess in tried.excesses(limits) if excess.ratio > 1]
    told = f"refused: {tried.refused}" if tried.refused else "; ".join(over) or "fits"
    observer.note(f"try {number}, {tried.name}: {told}")
