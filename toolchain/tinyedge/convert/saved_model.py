"""A SavedModel of TensorFlow, whoever exported it: a folder with saved_model.pb. No Python code of it is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.convert import flatbuffer, keras_export
from tinyedge.convert.contract import Brought, Settings
from tinyedge.convert.matching import Wanted, match_inputs
from tinyedge.convert.settle import KEY, settle
from tinyedge.convert.tflite_float import wanted_by
from tinyedge.data import Arrays
from tinyedge.errors import ModelError, UsageError
from tinyedge.graph.ir import Array

_FILE = "saved_model.pb"


class SavedModel:
    title = "SavedModel"
    packages: Sequence[tuple[str, str]] = keras_export.PACKAGES
    can_rebuild = False

    def recognizes(self, path: Path, head: bytes) -> bool:
        return (path / _FILE).is_file()

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        import tensorflow as tf

        try:
            loaded = tf.saved_model.load(str(path))
        except Exception as error:  # whatever TensorFlow raises for a folder it cannot read
            line = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"TensorFlow cannot load the SavedModel: {line}", hint="export it again") from error
        key = _signature(list(loaded.signatures), settings.signature)
        function = loaded.signatures[key]
        wanted = {name: _wanted(name, spec) for name, spec in function.structured_input_signature[1].items()}
        inputs = dict(zip(wanted, match_inputs(data, list(wanted.values())), strict=True))

        def converter(calibration: dict[str, Array] | None) -> bytes:
            made = tf.lite.TFLiteConverter.from_saved_model(str(path), signature_keys=[key])
            return bytes(keras_export.set_up(made, calibration).convert())

        tflite = settle(converter(None))
        order = [entry.name for entry in wanted_by(tflite)]
        return Brought(
            tflite,
            tuple(inputs[name] for name in order),
            tuple(_answers(function, inputs, output_names(tflite))),
            lambda calibration: converter(dict(zip(order, calibration, strict=True))),
        )

    def surroundings(self, path: Path, settings: Settings) -> str:
        return ""

    def outside(self, path: Path, settings: Settings, folder: Path) -> None:
        return None


FRONT = SavedModel()


def _signature(names: list[str], wanted: str | None) -> str:
    if not names:
        raise ModelError("the SavedModel has no signature", hint="export it with `model.export(folder)`")
    if wanted is not None and wanted not in names:
        raise UsageError(
            f"the SavedModel has no signature `{wanted}`", hint=f"it has {', '.join(f'`{name}`' for name in names)}"
        )
    return wanted or (KEY if KEY in names else names[0])


def _wanted(name: str, spec: Any) -> Wanted:
    return Wanted(name, tuple(spec.shape.as_list()[1:]), spec.dtype.name)


def _answers(function: Any, inputs: dict[str, Array], names: Sequence[str]) -> list[Array]:
    """What a signature answers, sample by sample: its batch may be fixed to 1."""
    import tensorflow as tf

    rows = []
    for sample in range(len(next(iter(inputs.values())))):
        given = function(**{name: tf.constant(array[sample : sample + 1]) for name, array in inputs.items()})
        rows.append([np.asarray(given[name]) for name in names])
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


def output_names(tflite: bytes) -> list[str]:
    """The names of the signature's outputs, in the order of the model's outputs."""
    model = flatbuffer.unpack(tflite)
    names = {int(entry.tensorIndex): flatbuffer.text(entry.name) for entry in model.signatureDefs[0].outputs}
    return [names[int(key)] for key in model.subgraphs[0].outputs]
