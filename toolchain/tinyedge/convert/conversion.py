"""From a source and data to a full-int8 model that was compared with its source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.artifacts import Observer, QuantizedModel
from tinyedge.artifacts.conversion import WORST_LOSS, Conversion, LayerNoise
from tinyedge.artifacts.model import model_name
from tinyedge.convert import keep
from tinyedge.convert.aware import parts
from tinyedge.convert.child import require_packages, run_worker, versions
from tinyedge.convert.compare import compare
from tinyedge.convert.contract import ARRAYS, FLOAT, MODEL, UNTRAINED, Front, Settings, model_of
from tinyedge.convert.flatbuffer import MAGIC
from tinyedge.convert.layer_types import TYPES
from tinyedge.convert.matching import spread
from tinyedge.convert.source import recognize
from tinyedge.convert.values import device_inputs
from tinyedge.data import Arrays, load_data
from tinyedge.digests import digest
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array, Graph
from tinyedge.graph.reader import read_model
from tinyedge.paths import scratch_folder
from tinyedge.train.evaluate import sparsity

_FEWEST_TO_TRAIN = 10
_FEW_SAMPLES = 100
"""fewer show too little of the range of activations"""
_SOURCES = "a float .tflite, .keras, .h5, a SavedModel, .onnx, .pt2, or script.py:build"


def convert(
    path: Path, data: Path | Arrays, settings: Settings, observer: Observer, *, again: bool = False, name: str = ""
) -> Conversion:
    """The model of a source in integers, kept from an earlier time if nothing changed (and not `again`).

    data  samples as the source takes them, [N, ...] in real terms, and labels; or where they lie
    name  of the model; empty: after its file

    Raises: UsageError for what is no source, for data that does not fit and for wrong settings; ModelError for what
            cannot be converted; ToolError when a package is missing, or the converter crashes or takes too long
    """
    check_settings(settings)
    front = front_of(path)
    check_training(front, settings)
    require_packages(front, settings)
    whole = data if isinstance(data, Arrays) else load_data(data)
    for note in whole.notes:
        observer.note(note)
    training, compared = _parted(whole) if settings.qat else (None, whole)
    taken = _taken(compared, settings.samples)
    called = name or source_name(path)
    used = versions(front, settings)
    surroundings = front.surroundings(path, settings)
    key = None
    if surroundings is not None:
        determines = whole if settings.qat else taken
        key = keep.conversion_digest(path, called, determines, settings, used, surroundings)
    kept = None if again or key is None else keep.load(key)
    if kept is not None:
        observer.note(f"model `{called}` kept from an earlier conversion; `tinyedge convert --again` converts anew")
        return kept
    observer.note(f"converting `{called}`, {model_of(front)}, to {settings.types}")
    with observer.progress("convert") as report, scratch_folder("convert") as folder:
        report(0, 2, front.title)
        said = run_worker(front, path, called, taken, settings, folder, training=training, report=report)
        report(1, 2, "compare")
        conversion = _conclude(folder, front, called, taken, settings, said, used)
        report(2, 2, "compare")
    if key is not None:
        keep.save(key, conversion)
    return conversion


def check_settings(settings: Settings) -> None:
    """Raises: UsageError for types that do not exist."""
    for kind in (settings.types, *(kind for _, kind in settings.layers)):
        if kind not in TYPES:
            raise UsageError(f"there is no type `{kind}`", hint=f"choose of {', '.join(TYPES)}")
    if settings.qat < 0:
        raise UsageError(f"{settings.qat} epochs of training cannot be", hint="`--qat 5`; 0 trains nothing")
    if settings.calibrate < 1 or settings.samples < 1:
        raise UsageError("a conversion needs at least one sample", hint="`--calibrate 200 --samples 1000`")


def check_training(front: Front, settings: Settings) -> None:
    """Raises: UsageError when quantization-aware training was asked for, and cannot be."""
    if not settings.qat:
        return
    if not front.can_rebuild:
        raise UsageError(
            f"{model_of(front)} cannot be trained on: its layers are operators, whose gradients nobody knows here",
            hint="give the .keras or .h5 that it came from; or train it quantization-aware in its own framework, and "
            "export it to ONNX with its scales (QDQ)",
        )
    if settings.types != "int8" or settings.layers:
        raise UsageError(
            "quantization-aware training is for int8 in all layers", hint="leave out `--types` and `--layer`"
        )


def _parted(data: Arrays) -> tuple[Arrays, Arrays]:
    """(what a model is trained on, what it is compared on). Raises: UsageError without enough labelled samples."""
    if data.labels is None:
        raise UsageError(
            "quantization-aware training needs labels, the data has none",
            hint="put an array `labels` into the data: classes from 0, or values of a regression",
        )
    if data.count < _FEWEST_TO_TRAIN:
        raise UsageError(
            f"quantization-aware training needs {_FEWEST_TO_TRAIN} samples at least, the data has {data.count}",
            hint="give the samples that the model was trained on",
        )
    training, compared = (_chosen(data, part) for part in parts(data.count))
    return training, compared


def front_of(path: Path) -> Front:
    """The front of a source.

    Raises: UsageError when there is nothing, or nothing that tinyedge converts; ModelError for a damaged .tflite
    """
    front = recognize(path)
    if front is None and path.is_file() and _is_tflite(path):
        read_model(path.read_bytes(), source_name(path))
        raise UsageError(f"`{path}` is in integers already", hint=f"`tinyedge run {path.name}` takes it as it is")
    if front is None:
        what = "is nothing that tinyedge converts" if path.exists() else "does not exist"
        raise UsageError(f"`{path}` {what}", hint=f"give {_SOURCES}")
    return front


def _is_tflite(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(8)[4:] == MAGIC


def source_name(path: Path) -> str:
    """What the model of a source is called: after its file, or `script_build` of script.py:build."""
    return model_name(path if ".py:" not in path.name else Path(path.name.replace(".py:", "_")))


def _taken(data: Arrays, count: int) -> Arrays:
    chosen = spread(data.count, count)
    return data if len(chosen) == data.count else _chosen(data, chosen)


def _chosen(data: Arrays, chosen: Array) -> Arrays:
    labels = None if data.labels is None else data.labels[chosen]
    inputs = {name: array[chosen] for name, array in data.inputs.items()}
    return Arrays(inputs, labels, data.class_names)


def _conclude(
    folder: Path,
    front: Front,
    name: str,
    data: Arrays,
    settings: Settings,
    said: dict[str, Any],
    used: dict[str, str],
) -> Conversion:
    tflite = (folder / MODEL).read_bytes()
    graph = read_model(tflite, name)
    with np.load(folder / ARRAYS, allow_pickle=False) as stored:
        inputs, wanted, floats = (_numbered(stored, kind) for kind in ("input", "output", "float"))
    samples = device_inputs(inputs, graph)
    found = compare(graph, tflite, samples, wanted, floats, data.labels)
    model = QuantizedModel(
        name=name,
        tflite=tflite,
        digest=digest(tflite),
        float_accuracy=found.float_accuracy,
        int8_accuracy=found.int8_accuracy,
        sparsity=sparsity(graph),
        samples=samples,
        labels=found.labels,
        metrics={**found.metrics, **_without_training(folder, name, inputs, wanted, floats, data.labels)},
        class_names=_class_names(data, graph),
    )
    conversion = Conversion(
        model=model,
        source=front.title,
        types=settings.types,
        float_bytes=(folder / FLOAT).stat().st_size,
        samples=data.count,
        largest_difference=found.largest_difference,
        largest_value=found.largest_value,
        agreement=found.agreement,
        layers=tuple(LayerNoise.from_json(layer) for layer in said["layers"]),
        notes=(*map(str, said["notes"]), *found.notes),
        versions=used,
    )
    return with_advice(conversion, settings, front)


def _without_training(
    folder: Path,
    name: str,
    inputs: list[Array],
    wanted: list[Array],
    floats: list[Array],
    labels: Array | None,
) -> dict[str, float]:
    """What the model was worth in integers before it was trained on; empty where it was not."""
    if not (folder / UNTRAINED).is_file():
        return {}
    tflite = (folder / UNTRAINED).read_bytes()
    graph = read_model(tflite, name)
    found = compare(graph, tflite, device_inputs(inputs, graph), wanted, floats, labels)
    measured = {key: value for key, value in found.metrics.items() if key.startswith("int8")}
    if found.int8_accuracy is not None:
        measured["int8_accuracy"] = found.int8_accuracy
    return {f"{key}_without_training": value for key, value in measured.items()}


def _class_names(data: Arrays, graph: Graph) -> tuple[str, ...]:
    """Those of the data, where the first output has a channel for each, or one for two."""
    shape = graph.output_tensors()[0].shape
    channels = shape[-1] if shape else 1
    return data.class_names if len(data.class_names) in (channels, 2 if channels == 1 else channels) else ()


def _numbered(stored: Any, kind: str) -> list[Array]:
    """The arrays `kind_0`, `kind_1`..."""
    return [stored[f"{kind}_{i}"] for i in range(sum(name.startswith(f"{kind}_") for name in stored.files))]


def with_advice(conversion: Conversion, settings: Settings, front: Front) -> Conversion:
    """The conversion, and what to do where it costs more than a point of accuracy."""
    loss = conversion.loss
    if loss is None or loss <= WORST_LOSS:
        return conversion
    steps = []
    if conversion.samples < _FEW_SAMPLES:
        steps.append(f"more data than {conversion.samples:,} samples to calibrate with")
    worst = [layer for layer in conversion.worst_layers if settings.types == "int8"]
    if worst:
        choices = " ".join(f"--layer '{layer.name}=int16x8'" for layer in worst)
        steps.append(f"int16 activations where most is lost, `{choices}`, or everywhere, `--types int16x8`")
    if settings.qat:
        steps.append(f"more epochs than {settings.qat}, with the samples that the model was trained on")
    elif front.can_rebuild:
        steps.append("quantization-aware training, `--qat 5`, with labels and the samples that it was trained on")
    else:
        steps.append('quantization-aware training: a recipe with `[[compress]] technique = "quantize_aware"`')
    note = f"{100 * loss:.1f} points of accuracy are lost. What helps: " + "; ".join(steps)
    return replace(conversion, notes=(*conversion.notes, note))
