"""Labelled data of a user's own for a model that is finished: brought to its inputs, its classes to the model's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tinyedge.artifacts import Observer, Prepared, QuantizedModel, Samples, Silence
from tinyedge.convert import recognize
from tinyedge.convert.matching import Wanted, match_inputs, spread
from tinyedge.convert.values import stored_values
from tinyedge.data import Arrays, DataTable, load_for, target_values
from tinyedge.errors import UsageError
from tinyedge.features.host import compute
from tinyedge.features.image import Image
from tinyedge.features.quantize import FeatureInput
from tinyedge.graph.ir import Array, DType, Graph, Tensor
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.train import find_model
from tinyedge.tables import TableError, nearest, read_table
from tinyedge.train.recipe import Recipe

_PASSING = ("dequantize", "quantize", "reshape")
"""operators behind the one that says what an output means"""


@dataclass(frozen=True)
class Given:
    """Data that a user gave for a model.

    table       what its recipe says of data, `source` aside; None without one
    are_values  whether its recipe says that labels are values of a regression
    """

    path: Path
    table: DataTable | None = None
    are_values: bool = False


def data_given(choices: Choices) -> Given | None:
    """What `--data` of a model means for measuring it; None without, and where the model is converted with it.

    Raises: UsageError when the model is not there
    """
    if choices.data is None or isinstance(choices.model, QuantizedModel):
        return None if choices.data is None else Given(choices.data)
    found = find_model(choices.model, Silence())
    if isinstance(found, Path):
        return None if recognize(found) is not None else Given(choices.data)
    return Given(choices.data, _table_of(found), found.task == "regression")


def _table_of(recipe: Recipe) -> DataTable | None:
    """The recipe's [data], where it is a table of data and no arguments of its own code."""
    if "source" not in recipe.data:
        return None
    try:
        return read_table(DataTable, dict(recipe.data), "data")
    except TableError:
        return None  # arguments of `load` that happen to have a source among them


def labelled_samples(given: Given, prepared: Prepared, count: int | None, observer: Observer) -> Samples:
    """The samples as the device gets them, and the classes of the model that they are of.

    Values are real ones, quantized by the scale of the input; arrays of the input's own type go in as they are. Where
    the model has features, the data is what these are computed of: windows of the sensor's samples.

    count  how many, evenly spread; None: all

    Raises: UsageError when the data does not fit the inputs, its classes not the model's, or there are fewer samples
    """
    graph, filled = prepared.original, prepared.feature_input
    tensors = graph.input_tensors()
    shape = _without_batch(tensors[0]) if filled is None else _sensor_shape(filled)
    table = given.table
    if filled is not None and filled.features.rate_hz and (table is None or table.rate_hz is None):
        table = replace(table or DataTable(source=given.path), rate_hz=filled.features.rate_hz)
    with observer.progress("read data"):
        data = load_for(given.path, table, shape)
    for note in data.notes:
        observer.note(note)
    if count is not None and count > data.count:
        raise UsageError(
            f"`{given.path}` holds {data.count:,} samples, not {count:,}", hint=f"`--samples {data.count}`"
        )
    chosen = spread(data.count, count or data.count)
    labels = None if data.labels is None else data.labels[chosen]
    taken = replace(data, inputs={name: array[chosen] for name, array in data.inputs.items()}, labels=labels)
    raw = None if filled is None else _raw_samples(taken, filled)
    if filled is not None and raw is not None:
        arrays = [feature_arrays(filled, raw, tensors[0].shape)]
    else:
        arrays = _device_arrays(taken, tensors)
    are_values = given.are_values or _says_values(graph, taken)
    if are_values and labels is not None:
        labels = target_values(labels, taken.class_names, str(given.path))
    else:
        labels = _model_classes(taken, prepared.model, graph.output_tensors()[0], given.path)
    return Samples(
        arrays,
        labels,
        class_names=() if are_values else prepared.model.class_names or data.class_names,
        source=str(given.path),
        raw=raw,
    )


def feature_arrays(filled: FeatureInput, raw: Array, shape: tuple[int, ...]) -> Array:
    """What the host computes of samples, as the network's input.  Shape: [N, instants, axes] -> [N, *shape]."""
    return np.stack([compute(filled, signal) for signal in raw]).reshape(len(raw), *shape)


def _raw_samples(data: Arrays, filled: FeatureInput) -> Array:
    """What the sensor gives, [N, instants, axes]."""
    features = filled.features
    wanted = Wanted(f"of the features {features.kind}", _sensor_shape(filled))
    if len(data.inputs) == 1 and next(iter(data.inputs.values())).dtype == features.sample_dtype.numpy:
        wanted = replace(wanted, dtype=features.sample_dtype.numpy.name)
    (values,) = match_inputs(data, [wanted])
    return np.ascontiguousarray(features.to_samples(values)).reshape(len(values), filled.instants, features.axes)


def _sensor_shape(filled: FeatureInput) -> tuple[int, ...]:
    """Of a sample of the data, before it is what the sensor sends: [instants, axes], or a picture."""
    features = filled.features
    if isinstance(features, Image):
        return (*features.camera, 1 if features.format == "grey" else 3)
    return filled.instants, features.axes


def _without_batch(tensor: Tensor) -> tuple[int, ...]:
    return tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape


def _device_arrays(data: Arrays, tensors: Sequence[Tensor]) -> list[Array]:
    """One array [N, *shape] for each input, of its type."""
    names = [tensor.name for tensor in tensors]
    order = names if set(names) <= set(data.inputs) else list(data.inputs)
    shapes = [_without_batch(tensor) for tensor in tensors]
    native = [
        name in data.inputs and data.inputs[name].dtype == tensor.dtype.numpy
        for name, tensor in zip((*order, *[""] * len(tensors)), tensors, strict=False)
    ]
    wanted = [
        Wanted(tensor.name, shape, tensor.dtype.numpy.name if same else "float32")
        for tensor, shape, same in zip(tensors, shapes, native, strict=True)
    ]
    return [
        (array if same else stored_values(array, tensor)).reshape(len(array), *tensor.shape)
        for array, tensor, same in zip(match_inputs(data, wanted), tensors, native, strict=True)
    ]


def device_samples(path: Path, tensors: Sequence[Tensor], observer: Observer) -> list[Array]:
    """All samples of a file or folder, as a device gets them: one array [N, *shape] for each of these inputs.

    Raises: UsageError when the data does not fit them
    """
    with observer.progress("read data"):
        data = load_for(path, None, _without_batch(tensors[0]))
    for note in data.notes:
        observer.note(note)
    return _device_arrays(data, tensors)


def _says_values(graph: Graph, data: Arrays) -> bool:
    """Whether labels are values by what the model is: one output that is no probability, and numbers beyond 0 and 1."""
    output = graph.output_tensors()[0]
    if data.labels is None or math.prod(output.shape) != 1 or output.dtype is DType.BOOL:
        return False
    producer = graph.producer(output.index)
    while producer is not None and producer.name in _PASSING:
        producer = graph.producer(producer.inputs[0])
    if producer is not None and producer.name == "logistic":
        return False
    try:
        values = target_values(data.labels, data.class_names, "")
    except UsageError:
        return False  # words: two classes on the two sides of 0
    return not np.isin(values, (0, 1)).all()


def _model_classes(data: Arrays, model: QuantizedModel, output: Tensor, path: Path) -> Array | None:
    """The labels as numbers of the model's classes: by name where both name theirs, else as they are.

    Raises: UsageError for a class that the model does not know, and for another number of classes
    """
    if data.labels is None or data.labels.dtype.kind not in "iub":
        return data.labels
    channels = output.shape[-1] if output.shape else 1
    classes = channels if channels > 1 else 2
    if not data.class_names:
        known = [str(int(label)) for label in np.unique(data.labels)]
        if set(known) <= set(model.class_names):  # it names its classes by the numbers that they were
            return np.array([model.class_names.index(str(int(label))) for label in data.labels], np.int64)
        wrong = [int(label) for label in np.unique(data.labels) if not 0 <= label < classes]
        if wrong:
            raise UsageError(
                f"`{path}` has the label {wrong[0]}; `{model.name}` has {classes} classes",
                hint=f"labels go from 0 to {classes - 1}",
            )
        return data.labels
    if model.class_names:
        for name in data.class_names:
            if name not in model.class_names:
                raise UsageError(
                    f"`{path}` has the class `{name}`, which `{model.name}` does not know",
                    hint=nearest(name, model.class_names),
                )
        return np.array([model.class_names.index(name) for name in data.class_names])[data.labels]
    if len(data.class_names) != classes:
        raise UsageError(
            f"`{path}` has {_count(data.class_names)} ({', '.join(data.class_names[:6])}), `{model.name}` tells "
            f"{classes} apart",
            hint="a folder for each class of the model; where it names none, they count in the order of their names",
        )
    return data.labels


def _count(names: Sequence[str]) -> str:
    return "one class" if len(names) == 1 else f"{len(names)} classes"
