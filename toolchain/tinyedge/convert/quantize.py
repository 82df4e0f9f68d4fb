"""Float .tflite to integers: ranges of activations from samples, one scale for each output channel of weights."""

from __future__ import annotations

import contextlib
import difflib
import fnmatch
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert import flatbuffer
from tinyedge.convert.interpret import Interpreter
from tinyedge.convert.layer_types import TYPES, LayerType
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
            result = worker.quantize(_ranges(tflite, inputs), enable_progress_bar=False, enable_progress_report=False)
    except (ValueError, RuntimeError, KeyError, IndexError, NotImplementedError) as error:
        raise ModelError(
            f"the quantizer cannot quantize it: {error}",
            hint="`--layer PATTERN=int8` keeps a layer out of int16x8 or int4",
        ) from error
    return _with_unread_outputs(bytes(result.quantized_model))


def _ranges(tflite: bytes, inputs: Sequence[Array]) -> dict[str, dict[str, Array]]:
    """The smallest and largest value of each tensor over all samples, as the quantizer takes them.

    Its own are averages over the samples, which cut off what most samples reach.
    """
    interpreter = Interpreter(tflite)
    interpreter.fix_batch()
    names = {
        key: flatbuffer.text(tensor.name) for key, tensor in enumerate(flatbuffer.unpack(tflite).subgraphs[0].tensors)
    }
    found: dict[str, dict[str, Array]] = {}
    for sample in range(len(inputs[0])):
        interpreter.run([array[sample] for array in inputs])
        for key, name in names.items():
            with contextlib.suppress(ValueError):  # of a tensor that LiteRT never gave memory
                _widen(found, name, interpreter.value(key))
    for entry in found.values():
        if not entry["min"].any() and not entry["max"].any():
            entry["max"] = np.ones_like(entry["max"])  # any scale holds zeros; a tiny one leaves the range of kernels
    return found


def _widen(found: dict[str, dict[str, Array]], name: str, values: Array) -> None:
    """Let a range reach the values of one more sample."""
    if values.dtype.kind not in "fiu" or not values.size:
        return
    low, high = (np.full((1,) * values.ndim, bound, np.float32) for bound in (values.min(), values.max()))
    if name in found:
        low, high = np.minimum(found[name]["min"], low), np.maximum(found[name]["max"], high)
    found[name] = {"min": low, "max": high}


def _with_unread_outputs(tflite: bytes) -> bytes:
    """Outputs of split and unpack that nobody reads, which the quantizer leaves in float, as their siblings are."""
    model = flatbuffer.unpack(tflite)
    graph = model.subgraphs[0]
    read = {int(key) for operator in graph.operators for key in operator.inputs} | {int(key) for key in graph.outputs}
    changed = False
    for operator in graph.operators:
        outputs = [graph.tensors[int(key)] for key in operator.outputs]
        sibling = next(
            (tensor for tensor in outputs if tensor.type in (schema.TensorType.INT8, schema.TensorType.INT16)), None
        )
        for key, tensor in zip(operator.outputs, outputs, strict=True):
            if sibling is not None and int(key) not in read and tensor.type == schema.TensorType.FLOAT32:
                tensor.type, tensor.quantization, changed = sibling.type, sibling.quantization, True
    return flatbuffer.pack(model) if changed else tflite


def _granularity(qtyping: Any, operator: str, kind: LayerType) -> Any:
    per_tensor = operator in kind.per_tensor
    return qtyping.QuantGranularity.TENSORWISE if per_tensor else qtyping.QuantGranularity.CHANNELWISE


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
