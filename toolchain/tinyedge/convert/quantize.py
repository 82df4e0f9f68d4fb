"""Float .tflite to integers: ranges of activations from samples, one scale for each output channel of weights."""

from __future__ import annotations

import difflib
import fnmatch
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyedge.convert import flatbuffer
from tinyedge.convert.interpret import Interpreter, named_tensors
from tinyedge.convert.settle import KEY
from tinyedge.convert.types import TYPES, LayerType
from tinyedge.errors import ModelError, UsageError
from tinyedge.graph.ir import Array


def quantize(tflite: bytes, inputs: Sequence[Array], types: str, layers: Sequence[tuple[str, str]] = ()) -> bytes:
    """The model in integers, inputs and outputs too.

    tflite  as `settle` leaves it
    inputs  the calibration samples: [N, ...] for each input

    Raises: UsageError when a pattern of `layers` fits no layer; ModelError when the quantizer fails
    """
    from ai_edge_quantizer import qtyping, quantizer, recipe

    model = flatbuffer.unpack(tflite)
    whole = TYPES[types]
    base = recipe.static_wi8_ai16() if whole.activation_bits == 16 else recipe.static_wi8_ai8()
    worker = quantizer.Quantizer(bytearray(tflite), base)
    choices = [(".*", whole), *((_regex(model, pattern), TYPES[kind]) for pattern, kind in layers)]
    for regex, kind in choices:
        if (kind.activation_bits, kind.weight_bits, regex) == (whole.activation_bits, 8, ".*"):
            continue
        for operator in kind.operators:
            worker.add_static_config(
                regex,
                qtyping.TFLOperationName(operator),
                kind.activation_bits,
                kind.weight_bits,
                _granularity(qtyping, operator, kind),
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its interpreter
            ranges = worker.calibrate({KEY: _named(model, [array[:1] for array in inputs])}, num_threads=1)
            _widen(ranges, tflite, inputs)
            result = worker.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
    except (ValueError, RuntimeError, KeyError, IndexError, NotImplementedError) as error:
        raise ModelError(
            f"the quantizer cannot quantize it: {error}",
            hint="`--layer PATTERN=int8` keeps a layer out of int16x8 or int4",
        ) from error
    return bytes(result.quantized_model)


def _widen(ranges: dict[str, Any], tflite: bytes, inputs: Sequence[Array]) -> None:
    """Let ranges be those of all samples: the quantizer's are averages, which cut off what most samples reach."""
    interpreter = Interpreter(tflite)
    interpreter.fix_batch()
    keys = {
        name: key
        for name, key in named_tensors(tflite).items()
        if name in ranges and {"min", "max"} <= ranges[name].keys()
    }
    for sample in range(len(inputs[0])):
        interpreter.run([array[sample] for array in inputs])
        for name, key in keys.items():
            values, entry = interpreter.value(key), ranges[name]
            if values.size:
                entry["min"] = np.minimum(entry["min"], values.min())
                entry["max"] = np.maximum(entry["max"], values.max())


def _granularity(qtyping: Any, operator: str, kind: LayerType) -> Any:
    per_tensor = operator in kind.per_tensor
    return qtyping.QuantGranularity.TENSORWISE if per_tensor else qtyping.QuantGranularity.CHANNELWISE


def _named(model: Any, inputs: Sequence[Array]) -> list[dict[str, Array]]:
    """The samples by the names of the signature, one dictionary each."""
    names = {int(entry.tensorIndex): flatbuffer.text(entry.name) for entry in model.signatureDefs[0].inputs}
    graph = model.subgraphs[0]
    shapes = [tuple(int(extent) for extent in graph.tensors[int(key)].shape) for key in graph.inputs]
    return [
        {
            names[int(key)]: np.ascontiguousarray(array[sample].reshape(shape))
            for key, array, shape in zip(graph.inputs, inputs, shapes, strict=True)
        }
        for sample in range(len(inputs[0]))
    ]


def layer_names(model: Any) -> list[str]:
    """What layers are called: the names of the tensors that operators write."""
    graph = model.subgraphs[0]
    return [flatbuffer.text(graph.tensors[int(key)].name) for operator in graph.operators for key in operator.outputs]


def _regex(model: Any, pattern: str) -> str:
    """A regular expression for exactly the layers whose names a pattern fits, as a whole or in a part."""
    names = layer_names(model)
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern) or pattern in name]
    if not found:
        near = difflib.get_close_matches(pattern, names, n=3, cutoff=0.3) or names[:3]
        raise UsageError(
            f"no layer is called `{pattern}`",
            hint=f"the nearest: {', '.join(f'`{name}`' for name in near)}; `*` stands for any characters",
        )
    return "|".join(f"(?:^|;){re.escape(name)};?$" for name in dict.fromkeys(found))
