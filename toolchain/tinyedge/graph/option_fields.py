"""How the schema of .tflite names the options of operators, and the words of its enumerations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from ai_edge_litert import schema_py_generated as schema

_ENUM_FIELDS = {
    "padding": schema.Padding,
    "fused_activation_function": schema.ActivationFunctionType,
    "weights_format": schema.FullyConnectedOptionsWeightsFormat,
    "kernel_type": schema.LSTMKernelType,
    "combiner": schema.CombinerType,
    "mode": schema.MirrorPadMode,
    "reduce_function": schema.ReduceWindowFunction,
    "quantized_bias_type": schema.TensorType,
    "in_data_type": schema.TensorType,
    "out_data_type": schema.TensorType,
    "output_type": schema.TensorType,
    "out_type": schema.TensorType,
    "idx_out_type": schema.TensorType,
}


@cache
def words_of(enum: type) -> Mapping[int, str]:
    """The entries of a schema enumeration in lower case, by value."""
    return {value: key.lower() for key, value in vars(enum).items() if isinstance(value, int)}


def option_words(option: str) -> Mapping[int, str]:
    """The words of the enumeration that an option is of, by value; none for another option.

    >>> option_words("padding")[1], option_words("stride_w")
    ('valid', {})
    """
    enum = _ENUM_FIELDS.get(option)
    return {} if enum is None else words_of(enum)


def _snake_case(name: str) -> str:
    """The schema's own spelling of a field.

    >>> _snake_case("DilationWFactor"), _snake_case("FusedActivationFunction"), _snake_case("AdjX")
    ('dilation_w_factor', 'fused_activation_function', 'adj_x')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


@cache
def option_fields(table: type) -> tuple[tuple[str, str], ...]:
    """(option name, accessor) for every scalar and every vector of scalars of an options table."""
    found = []
    members = vars(table)
    for name in members:
        if not name[0].isupper() or name.startswith("GetRootAs") or name.endswith("BufferHasIdentifier"):
            continue
        if name == "Init" or any(name.endswith(end) for end in ("AsNumpy", "Length", "IsNone")):
            continue
        if f"{name}Length" not in members:
            found.append((_snake_case(name), name))
        elif f"{name}AsNumpy" in members:
            found.append((_snake_case(name), f"{name}AsNumpy"))
    return tuple(found)
