"""`tinyedge check`: what is wrong with a model, before anything is built."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from tinyedge.artifacts import Diagnosis, Observer, QuantizedModel
from tinyedge.convert import DEFAULTS, Settings
from tinyedge.diagnose import diagnose, require_codes
from tinyedge.errors import CheckError, ModelError
from tinyedge.graph.ir import Array
from tinyedge.graph.reader import read_model
from tinyedge.jobs.data import device_samples
from tinyedge.jobs.train import find_model, load_model
from tinyedge.ops import is_quantized_in_part

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
    data, settings  what a model of another world is converted with; some of the data is run through a quantized one

    Raises: UsageError for a code or a model that there is not; ModelError for a damaged file
    """
    require_codes(ignore)
    model = model_as_it_is(spec, build_dir, observer, data, settings)
    if data is not None and model.samples is None:
        model = replace(model, samples=_device_samples(model, data, observer))
    return diagnose(model, ignore=ignore, shown=spec if isinstance(spec, str) else model.name, observer=observer)


def _device_samples(model: QuantizedModel, data: Path, observer: Observer) -> tuple[Array, ...] | None:
    """The samples for a model that can be read, and is quantized; a float one is not run."""
    try:
        graph = read_model(model.tflite, model.name)
    except ModelError:
        return None  # what the diagnosis tells
    quantized = is_quantized_in_part(graph) and graph.inputs
    return tuple(device_samples(data, graph.input_tensors(), observer)) if quantized else None


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
