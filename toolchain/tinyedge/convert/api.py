"""`tinyedge.convert(model, data)`: the same conversion for models and arrays that are in memory."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.artifacts import Observer, QuantizedModel, Silence
from tinyedge.artifacts.model import check_name
from tinyedge.convert.contract import DEFAULTS, Settings
from tinyedge.convert.conversion import convert, source_name
from tinyedge.data import Arrays
from tinyedge.data.contract import LABELS
from tinyedge.errors import UsageError
from tinyedge.paths import scratch_folder

Data = str | Path | Any | tuple[Any, Any] | Mapping[str, Any]
"""a path; an array of samples; (samples, labels); or arrays by name, `labels` among them"""


def convert_model(
    model: Any,
    data: Data,
    *,
    types: str = DEFAULTS.types,
    layers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    qat: int = DEFAULTS.qat,
    name: str = "",
    settings: Settings = DEFAULTS,
    observer: Observer | None = None,
) -> QuantizedModel:
    """A quantized model, as `tinyedge convert` makes it and every stage behind takes it.

    model     a path, or script.py:build; the bytes of a float .tflite; a model of Keras, torch or onnx
    data      samples as the model takes them, and labels, as `Data` says
    types     of all layers; `layers` names those that differ: `{"dense": "int16x8"}`
    qat       epochs of quantization-aware training, of a model of Keras with labels
    settings  the rest of what `tinyedge convert` can be told

    Raises: UsageError, ModelError, ToolError as `tinyedge convert` tells them
    """
    pairs = tuple(layers.items()) if isinstance(layers, Mapping) else tuple(layers)
    chosen = replace(settings, types=types, layers=pairs, qat=qat or settings.qat)
    if name:
        check_name(name)
    arrays = data_of(data)
    with contextlib.ExitStack() as stack:
        if not isinstance(model, str | Path):
            name = name or "model"
            folder = stack.enter_context(scratch_folder("model"))
            model, chosen = _saved(model, arrays, folder, chosen)
        path = Path(model)
        return convert(path, arrays, chosen, observer or Silence(), name=name or source_name(path)).model


def data_of(data: Data) -> Path | Arrays:
    """Data as `convert` takes it. Raises: UsageError for what is none."""
    if isinstance(data, str | Path):
        return Path(data)
    if isinstance(data, Mapping):
        named = {str(key): np.asarray(value) for key, value in data.items()}
        labels = next((named.pop(key) for key in LABELS if key in named), None)
        return _checked(Arrays(named, labels))
    if isinstance(data, tuple) and len(data) == 2:
        return _checked(Arrays({"x": np.asarray(data[0])}, np.asarray(data[1])))
    return _checked(Arrays({"x": np.asarray(data)}))


def _checked(data: Arrays) -> Arrays:
    """Raises: UsageError for what is empty, or no numbers."""
    arrays = [*data.inputs.values(), *([] if data.labels is None else [data.labels])]
    if not data.inputs or any(array.ndim == 0 or not len(array) or array.dtype.kind not in "iufb" for array in arrays):
        raise UsageError("the data is no array of samples, [N, ...]", hint="give samples, or (samples, labels)")
    if len({len(array) for array in arrays}) > 1:
        raise UsageError(f"the arrays differ in their number of samples: {[len(array) for array in arrays]}")
    return data


def _saved(model: Any, data: Path | Arrays, folder: Path, settings: Settings) -> tuple[Path, Settings]:
    """A model in memory as a file that a front reads. Raises: UsageError for what is no model."""
    worlds = set(_worlds(model))
    if isinstance(model, bytes | bytearray):
        (folder / "model.tflite").write_bytes(model)
        return folder / "model.tflite", settings
    if worlds & {"keras", "tf_keras"}:
        model.save(folder / "model.keras")
        return folder / "model.keras", settings
    if "onnx" in worlds:
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return folder / "model.onnx", settings
    if "torch" in worlds:
        return _exported(model, data, folder), replace(settings, python=settings.python or sys.executable)
    raise UsageError(
        f"a {type(model).__module__}.{type(model).__name__} is no model that tinyedge converts",
        hint="give a path, or a model of Keras, torch or onnx",
    )


def _worlds(model: Any) -> Iterator[str]:
    """The packages whose classes a model is made of."""
    for kind in type(model).__mro__:
        yield kind.__module__.split(".")[0]


def _exported(model: Any, data: Path | Arrays, folder: Path) -> Path:
    """A torch module as an exported program, with the first sample as its example."""
    import torch

    from tinyedge.data import load_data

    arrays = data if isinstance(data, Arrays) else load_data(data)
    samples = tuple(
        torch.from_numpy(array[:1].astype(array.dtype if array.dtype.kind in "iu" else np.float32))
        for array in arrays.inputs.values()
    )
    torch.export.save(torch.export.export(model.eval(), samples), folder / "model.pt2")
    return folder / "model.pt2"
