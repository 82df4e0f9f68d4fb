"""The untrained model put through every stage but the training, so that what cannot work is known before it starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.train.compress.contract import stored_by_all
from tinyedge.train.convert import convert_model
from tinyedge.train.evaluate import check_types, quantize_inputs, run_int8
from tinyedge.train.fit import Training
from tinyedge.train.held_out import spread_over
from tinyedge.train.layers import describe, first_line, kind_of
from tinyedge.train.matching import Matched, one_or_all
from tinyedge.train.recipe import Recipe
from tinyedge.train.rewrite import all_layers

_SAMPLES = 32
"""samples that calibrate the untrained model"""
_UNROLLED = ("GRU", "SimpleRNN", "RNN")
"""layers the converter makes a loop of, unless they are unrolled; LSTM it has an operator for"""


def rehearse(recipe: Recipe, model: Any, data: Matched, if_ended: Callable[[ModelError], None]) -> tuple[str, ...]:
    """Compress, convert, read and run `model`, which is spent then. Returns what is to be said before training.

    if_ended  is told the error that it means when this process ends in the conversion

    Raises: ModelError of the first stage that fails
    """
    notes: list[str] = []
    few = [array[:_SAMPLES] for array in data.train_inputs]
    _normalize(model, few)
    for technique in recipe.compress:
        model, told = technique.rehearse(model)
        notes += told
    if_ended(_conversion_error(model, "the converter crashed on the untrained model"))
    try:
        tflite = convert_model(model, few, _SAMPLES, recipe.convert.activations)
    except Exception as error:  # of many kinds, the converter's own among them
        raise _conversion_error(model, f"the untrained model cannot be converted: {_reason(error)}") from error
    few_data = replace(spread_over(data, _SAMPLES), validation_inputs=None, validation_targets=None)
    training = Training(few_data, recipe.fit.batch_size, lambda _stage, _done, _total: None)
    tflite = stored_by_all(recipe.compress, tflite, training)
    try:
        graph = read_model(tflite, recipe.name)
        check_types(graph, recipe.convert.activations)
        run_int8(graph, quantize_inputs([array[:1] for array in few], graph), lambda _done, _total: None)
    except ModelError as error:
        recurrent = [layer for outer in all_layers(model) for layer in _cores(outer) if kind_of(layer) in _UNROLLED]
        if not recurrent:
            raise
        hint = f"the converter does not always quantize all of {describe(recurrent[0])} unrolled: use an LSTM"
        raise ModelError(error.what, hint=hint) from error
    return tuple(notes)


def _normalize(model: Any, few: Sequence[Any]) -> None:
    """Give batch normalization the means and variances of a few samples, as training would: with those it begins with,
    hardly anything comes through a deep network, and no integer could hold that."""
    norms = [layer for layer in all_layers(model) if kind_of(layer) == "BatchNormalization"]
    for layer in norms:
        layer.momentum = 0.0
    if norms:
        model(one_or_all(few), training=True)


def _conversion_error(model: Any, what: str) -> ModelError:
    """The error with what of this model may be the cause, and the way round."""
    loops = [layer for layer in all_layers(model) for layer in _cores(layer) if kind_of(layer) in _UNROLLED]
    loops = [layer for layer in loops if not layer.unroll]
    if loops:
        first = loops[0]
        return ModelError(
            f"{what}; it holds {', '.join(map(describe, loops))}, which becomes a loop",
            hint=f"write `{kind_of(first)}({getattr(first, 'units', '...')}, unroll=True)`, or use an LSTM",
        )
    unusual = sorted(
        {describe(layer) for layer in all_layers(model) if not type(layer).__module__.startswith("tf_keras.")}
    )
    suspects = f"; layers of its own are {', '.join(unusual)}" if unusual else ""
    return ModelError(what + suspects, hint="leave out layers at the end of model.py one by one to find which it is")


def _cores(layer: Any) -> list[Any]:
    """A layer, and what wrappers such as Bidirectional and the quantization hold in it."""
    found = [layer]
    for name in ("layer", "forward_layer", "backward_layer"):
        inner = getattr(layer, name, None)
        if inner is not None and inner not in found:
            found += _cores(inner)
    return found


def _reason(error: Exception) -> str:
    """What the converter says of an operator it has none for, else the first line."""
    missing = sorted(set(re.findall(r"'tf\.(\w+)' op is neither a custom op nor a flex op", str(error))))
    return f"TensorFlow Lite has no operator for {', '.join(missing)}" if missing else first_line(error)[:300]
