"""Models of other formats that are given as MODEL: what they are, and the way from there to a .tflite."""

from __future__ import annotations

from pathlib import Path

from tinyedge.errors import UsageError

_IDENTIFIER = b"TFL3"
"""bytes 4 to 7 of a .tflite"""
_INT8 = "full int8 (`optimizations`, a `representative_dataset`, `TFLITE_BUILTINS_INT8`)"
_FROM_KERAS = (
    f"convert it with `tf.lite.TFLiteConverter.from_keras_model(tf.keras.models.load_model(...))` to {_INT8}; or put "
    "its `build_model` into a recipe, which `tinyedge train FOLDER` trains and converts"
)
_FROM_TORCH = "`litert-torch` converts what `torch.export.export(model, inputs)` makes of it to a .tflite"
_KINDS = {
    ".keras": ("a model of Keras 3", _FROM_KERAS),
    ".h5": ("a model of Keras in HDF5", _FROM_KERAS),
    ".hdf5": ("a model of Keras in HDF5", _FROM_KERAS),
    ".onnx": ("an ONNX model", "`onnx2tf -i MODEL.onnx -oiqt` makes an int8 .tflite of it"),
    ".pt2": ("an exported program of PyTorch", f"{_FROM_TORCH}, quantized by its `quantize` package"),
    ".pt": ("a model or weights of PyTorch", f"load it in Python; then {_FROM_TORCH}"),
    ".pth": ("weights of PyTorch", f"load them into the model in Python; then {_FROM_TORCH}"),
    ".pb": ("a graph of TensorFlow", f"convert its SavedModel with `TFLiteConverter.from_saved_model` to {_INT8}"),
}
"""by the end of the name: what it is, what to do"""
_SAVED_MODEL = "saved_model.pb"


def refuse_foreign(path: Path) -> None:
    """Raises: UsageError for a file or folder that holds a model of another format, as its name or content says."""
    if (path / _SAVED_MODEL).is_file():
        raise _refusal(path, "a SavedModel of TensorFlow", _KINDS[".pb"][1].replace("its SavedModel", "it"))
    kind = _KINDS.get(path.suffix.lower())
    if kind is not None and path.is_file() and not _is_tflite(path):
        raise _refusal(path, *kind)


def _is_tflite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8)[4:] == _IDENTIFIER


def _refusal(path: Path, what: str, hint: str) -> UsageError:
    return UsageError(f"`{path}` is {what}; tinyedge takes a quantized .tflite, or a recipe", hint=hint)
