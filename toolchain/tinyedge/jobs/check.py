"""`tinyedge check`: what is wrong with a model, before anything is built."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from tinyedge.artifacts import Diagnosis, Observer, QuantizedModel
from tinyedge.convert import DEFAULTS, Settings
from tinyedge.diagnose import diagnose, require_codes
from tinyedge.errors import CheckError
from tinyedge.jobs.train import find_model, load_model

_AS_IT_IS = ".tflite"


def check(
    spec: str | QuantizedModel,
    build_dir: Path,
    observer: Observer,
    *,
    ignore: Collection[str] = (),
    data: Path | None = None,
    settings: Settings = DEFAULTS,
) -> Diagnosis:
    """All that is to be said of a model: a .tflite as it lies there, float ones too; others once they are converted.

    ignore          codes to leave out
    data, settings  what a model of another world is converted with

    Raises: UsageError for a code or a model that there is not; ModelError for a damaged file
    """
    require_codes(ignore)
    model = model_as_it_is(spec, build_dir, observer, data, settings)
    return diagnose(model, ignore=ignore, shown=spec if isinstance(spec, str) else model.name)


def model_as_it_is(
    spec: str | QuantizedModel, build_dir: Path, observer: Observer, data: Path | None, settings: Settings
) -> QuantizedModel:
    if isinstance(spec, str):
        found = find_model(spec, observer)
        if isinstance(found, Path) and found.suffix == _AS_IT_IS and found.is_file():
            return QuantizedModel.from_file(found)
    return load_model(spec, build_dir, observer, data, settings).model


def require_sound(found: Diagnosis, *, strict: bool) -> None:
    """Raises: CheckError when there are errors, or, if `strict`, warnings."""
    errors, warnings = found.count("error"), found.count("warning")
    if errors or (strict and warnings):
        told = f"{errors} error{'' if errors == 1 else 's'}"
        if strict:
            told += f" and {warnings} warning{'' if warnings == 1 else 's'}"
        code = found.findings[0].code
        raise CheckError(
            f"model `{found.model}` has {told}",
            hint=f"`tinyedge explain {code}` says why; `--ignore {code}` leaves it out",
        )
