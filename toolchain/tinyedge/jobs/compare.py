"""What is to be compared brought to figures: documents are read, models are built and run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyedge.artifacts import Observer
from tinyedge.convert import recognize
from tinyedge.errors import UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.run import run
from tinyedge.jobs.train import find_model
from tinyedge.report.compare import Comparison, Subject, Thresholds, compare_all, read_subjects, subjects_of


@dataclass(frozen=True)
class RunChoices:
    """How models are run.

    choices  what a model of this name or path is built with; raises UsageError without a board
    """

    choices: Callable[[str], Choices]
    emulator: str = "auto"
    inputs: str | None = None
    samples: int | None = None


def compare(
    specs: Sequence[str], thresholds: Thresholds, how: RunChoices, observer: Observer
) -> tuple[Comparison, ...]:
    """Documents of runs, folders of them, and models, each compared with the first.

    Raises: UsageError for fewer than two, and for what is none of these; else as `run`
    """
    if len(specs) < 2:
        raise UsageError("there is nothing to compare", hint="name two or more: `tinyedge compare old.json new.json`")
    models = [spec for spec in specs if not _is_document(spec)]
    for spec in models:  # what is wrong is told before anything is run
        find_model(spec, observer)
    chosen = {spec: how.choices(spec) for spec in models}
    groups = []
    for number, spec in enumerate(specs, 1):
        if spec in chosen:
            observer.note(f"{number} of {len(specs)}: {spec}")
            groups.append(_run(spec, chosen[spec], how, observer))
        else:
            groups.append(read_subjects(Path(spec)))
    folders = any(spec not in chosen and Path(spec).is_dir() for spec in specs)
    return compare_all(groups, thresholds, by_name=folders)


def _is_document(spec: str) -> bool:
    """Whether it is a document of runs, or a folder of them, rather than a model."""
    path = Path(spec)
    if path.is_dir():
        return not (path / "recipe.toml").exists() and recognize(path) is None
    return path.suffix == ".json"


def _run(spec: str, choices: Choices, how: RunChoices, observer: Observer) -> tuple[Subject, ...]:
    try:
        measured = run(choices, observer, emulator_name=how.emulator, inputs=how.inputs, samples=how.samples)
    except BrokenRunError as broken:
        raise broken.error from broken
    return subjects_of(measured, Path(spec).name if Path(spec).exists() else spec)
