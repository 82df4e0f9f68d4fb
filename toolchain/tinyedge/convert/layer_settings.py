"""Settings of a Keras 3 layer as Keras 2 takes them, or why it cannot."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

_INITIALIZERS = "_initializer"
"""end of the names of settings that matter to untrained layers alone"""
_SPELLED_ANEW = {
    ("InputLayer", "batch_shape"): "batch_input_shape",
    ("LeakyReLU", "negative_slope"): "alpha",
}
"""(class, setting in Keras 3) -> its name in Keras 2"""
_ACTIVATIONS = {"silu": "swish"}
_WITHOUT_EFFECT: Mapping[str, tuple[Any, ...]] = {
    "optional": (False,),
    "quantization_config": (None,),
    "rms_scaling": (False,),
    "use_gate": (False,),
    "sliding_window": (None,),
    "data_format": ("channels_last",),
    "seed": (None,),
}
"""settings that Keras 2 does not have -> the values with which a layer does what it does in Keras 2"""


def settings_for_keras_2(keras_2: Any, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """What `from_config` of the class `kind` of Keras 2 takes, names of settings and values in its words.

    Initializers are left out: weights are copied.

    Raises: ValueError when a setting has no counterpart, in words
    """
    known = _arguments(getattr(keras_2.layers, kind))
    result: dict[str, Any] = {}
    for name, value in config.items():
        called = _SPELLED_ANEW.get((kind, name), name)
        if name.endswith(_INITIALIZERS):
            continue
        if called not in known:
            if value not in _WITHOUT_EFFECT.get(name, ()):
                raise ValueError(f"its setting `{name}`, {value!r}, does not exist in Keras 2")
            continue
        result[called] = _value(keras_2, called, value)
    return result


def _value(keras_2: Any, name: str, value: Any) -> Any:
    if name == "dtype" and isinstance(value, Mapping):
        return value["config"]["name"]
    if isinstance(value, Mapping) and "class_name" in value:
        kind, config = str(value["class_name"]), value.get("config", {})
        if name.endswith("layer"):
            return {"class_name": kind, "config": settings_for_keras_2(keras_2, kind, config)}
        return {"class_name": kind, "config": dict(config)}
    if "activation" in name and isinstance(value, str):
        return _ACTIVATIONS.get(value, value)
    return value


def _arguments(kind: type) -> set[str]:
    """The names of all arguments of a class and of those it is made of."""
    found = set()
    for base in kind.__mro__:
        if "__init__" in vars(base):
            found |= set(inspect.signature(base.__init__).parameters)  # type: ignore[misc]
    taken_out = {"trainable", "dtype", "name", "batch_input_shape"}  # of the keyword arguments of all layers
    if "return_sequences" in found:
        taken_out.add("zero_output_for_mask")
    return (found | taken_out) - {"self", "args", "kwargs"}
