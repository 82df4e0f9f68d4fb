"""What the fronts of Keras share: loaded models answered, made ready, and exported by TensorFlow's converter."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.convert import flatbuffer
from tinyedge.convert.contract import Brought
from tinyedge.convert.matching import Wanted, match_inputs
from tinyedge.data import Arrays
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array
from tinyedge.train.matching import one_or_all

ZIP, HDF5 = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"
PACKAGES = (("tensorflow", "train"), ("tf-keras", "train"))
_CONFIG, _METADATA = "config.json", "metadata.json"
_MOST_BYTES = 64 << 20
_BATCH = 64
_COMPARED = 32
"""samples that a rebuilt model is compared on with its source"""
_LOOPS = frozenset(("GRU", "LSTM", "SimpleRNN"))
_UNKNOWN_CLASS = re.compile(
    r"(?:Could not locate class|Unknown layer:?|Cannot deserialize object of type|Could not find (?:class|object))"
    r" ['\"`]?(\w+)"
)
"""how Keras 2 and 3 say that a class is not known"""
EXPORT_HINT = (
    'in your own script, with the layer there: `model.export("net.tflite", format="litert")`; then convert that'
)


def keras_version(path: Path, head: bytes) -> int | None:
    """2 or 3 for a model that Keras saved as one file, None for anything else."""
    try:
        if head.startswith(ZIP):
            with zipfile.ZipFile(path) as archive:
                if not {_CONFIG, _METADATA} <= set(archive.namelist()):
                    return None
                return _major(json.loads(_member(archive, _METADATA)).get("keras_version"))
        if head.startswith(HDF5):
            return _version_of_hdf5(path)
    except (zipfile.BadZipFile, OSError, ValueError, AttributeError, NotImplementedError, EOFError):
        return None
    return None


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A part of an archive. Raises: ValueError when it is larger than such a part can be."""
    if archive.getinfo(name).file_size > _MOST_BYTES:
        raise ValueError(f"{name} is too large")
    return archive.read(name)


def _version_of_hdf5(path: Path) -> int:
    try:
        import h5py
    except ImportError:
        return 3  # either way the packages that are missing are asked for
    with h5py.File(path, "r") as file:
        return _major(file.attrs.get("keras_version"))


def _major(version: Any) -> int:
    return 3 if isinstance(version, str) and version[:1].isdigit() and int(version.split(".")[0]) >= 3 else 2


def load(keras: Any, path: Path) -> Any:
    """The model of a file, whose classes must all be Keras's. Raises: ModelError."""
    config = _config(path)
    for layer in _layers_of(config):
        if layer.get("class_name") == "Lambda":
            raise ModelError(
                f"layer `{_name(layer)}` is a Lambda: its Python code is in the file, and was not run",
                hint=f"write it with layers of Keras; or {EXPORT_HINT}",
            )
    try:
        return keras.models.load_model(str(path), compile=False)
    except Exception as error:  # whatever Keras raises for a file it cannot read
        raise _not_loaded(error) from error


def _not_loaded(error: Exception) -> ModelError:
    told = str(error)
    if found := _UNKNOWN_CLASS.search(told):
        return ModelError(
            f"it has a layer of the class `{found[1]}`, which is not one of Keras's own", hint=EXPORT_HINT
        )
    line = next((line.strip() for line in told.splitlines() if line.strip()), type(error).__name__)
    return ModelError(f"Keras cannot load it: {line[:300]}", hint="is it damaged? Save it again with `model.save`")


def _config(path: Path) -> Any:
    """The configuration of the layers. Raises: ModelError when the file is damaged."""
    try:
        if path.read_bytes()[: len(ZIP)] == ZIP:
            with zipfile.ZipFile(path) as archive:
                return json.loads(_member(archive, _CONFIG))
        import h5py

        with h5py.File(path, "r") as file:
            stored = file.attrs.get("model_config")
            if stored is None:
                raise ModelError(
                    "the file holds weights without their model", hint="save the whole model: `model.save(file)`"
                )
            return json.loads(stored)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise ModelError(f"the file is damaged: {error}", hint="save it again with `model.save`") from error


def _layers_of(config: Any) -> Iterator[dict[str, Any]]:
    """Every description of a layer in a configuration, nested ones too. Without recursion: files are not trusted."""
    pending = [config]
    while pending:
        entry = pending.pop()
        if isinstance(entry, dict):
            if "class_name" in entry:
                yield entry
            pending += entry.values()
        elif isinstance(entry, list):
            pending += entry


def _name(layer: dict[str, Any]) -> str:
    config = layer.get("config")
    return str(config.get("name", "?")) if isinstance(config, dict) else "?"


def unrolled(model: Any) -> Any:
    """The model with its recurrent layers written out step by step; itself when it has none.

    As a loop they would be operators of TensorFlow, or crash its converter; as TensorFlow Lite's one operator for an
    LSTM they would keep their state from one inference to the next.

    Raises: ModelError when a sequence has no fixed length
    """
    config = model.get_config()
    loops = [
        layer for layer in _layers_of(config) if layer["class_name"] in _LOOPS and "units" in layer.get("config", {})
    ]
    if not loops:
        return model
    for layer in loops:
        layer["config"]["unroll"] = True
    try:
        rebuilt = type(model).from_config(config)
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"its recurrent layer `{_name(loops[0])}` cannot be unrolled: {str(error).splitlines()[0]}",
            hint="give its input a fixed length: `Input((49, 10))`",
        ) from error
    rebuilt.set_weights(model.get_weights())
    return rebuilt


def bring(model: Any, data: Arrays, in_keras_2: Callable[[Any, Sequence[Array]], Any]) -> Brought:
    """A loaded model exported with a batch of 1. `in_keras_2` gives the same model in tf_keras, by a few samples."""
    wanted = [_wanted(tensor) for tensor in model.inputs]
    inputs = match_inputs(data, wanted)
    answers = _answers(model, inputs)
    exported = unrolled(model)

    def quantize(calibration: Sequence[Array]) -> bytes:
        return in_order(bytes(_converter(exported, calibration, full_int8=True).convert()))

    tflite = in_order(bytes(_converter(exported, inputs, full_int8=False).convert()))
    notes = () if exported is model else ("its recurrent layers are unrolled: one set of operators for each step",)

    def rebuild(training: Arrays) -> tuple[Any, tuple[Array, ...]]:
        matched = match_inputs(training, wanted)
        return unrolled(in_keras_2(model, [array[:_COMPARED] for array in matched])), matched

    return Brought(tflite, inputs, tuple(answers), quantize, notes=notes, rebuild=rebuild)


def _wanted(tensor: Any) -> Wanted:
    dtype = getattr(tensor.dtype, "name", tensor.dtype)
    shape = tuple(None if extent is None else int(extent) for extent in tuple(tensor.shape)[1:])
    return Wanted(tensor.name.split(":")[0], shape, str(dtype))


def _answers(model: Any, inputs: Sequence[Array]) -> list[Array]:
    rows: list[list[Array]] = []
    for start in range(0, len(inputs[0]), _BATCH):
        given = model(one_or_all([array[start : start + _BATCH] for array in inputs]), training=False)
        row = list(given.values()) if isinstance(given, dict) else given
        rows.append([np.asarray(output) for output in (row if isinstance(row, list | tuple) else [row])])
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


def _converter(model: Any, arrays: Sequence[Array], *, full_int8: bool) -> Any:
    """TensorFlow's converter of a model at batch 1; with `full_int8` it quantizes by these samples."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    names = ["batch", *(f"batch_{index}" for index in range(1, len(arrays)))]

    def called(*batches: Any) -> Any:
        given = model(one_or_all(batches), training=False)
        return list(given.values()) if isinstance(given, dict) else given

    concrete = tf.function(called).get_concrete_function(
        *(
            tf.TensorSpec((1, *array.shape[1:]), array.dtype, name=name)
            for name, array in zip(names, arrays, strict=True)
        )
    )
    frozen = convert_variables_to_constants_v2(concrete)  # the converter leaves variables of Keras 3 as such
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    return set_up(converter, list(arrays) if full_int8 else None)


def in_order(tflite: bytes) -> bytes:
    """The same model with its inputs in the order of their numbers: `batch`, `batch_1`."""
    model = flatbuffer.unpack(tflite)
    graph = model.subgraphs[0]

    def number(key: int) -> int:
        found = re.search(r"batch_([0-9]+)", flatbuffer.text(graph.tensors[key].name))
        return int(found[1]) if found else 0

    graph.inputs = sorted((int(key) for key in graph.inputs), key=number)
    return flatbuffer.pack(model)


def set_up(converter: Any, calibration: Sequence[Array] | dict[str, Array] | None) -> Any:
    """A converter for float, or for full int8 with samples of the inputs, in their order or by their names."""
    import tensorflow as tf

    if calibration is None:
        return converter

    def representative() -> Iterator[Any]:
        arrays = list(calibration.values()) if isinstance(calibration, dict) else calibration
        for sample in range(len(arrays[0])):
            taken = [array[sample : sample + 1] for array in arrays]
            yield dict(zip(calibration, taken, strict=True)) if isinstance(calibration, dict) else taken

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter


def prepare_tensorflow() -> None:
    """Settle what a configuration file of the user's could change."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
