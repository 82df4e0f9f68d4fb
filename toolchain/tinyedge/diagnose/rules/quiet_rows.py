"""TE304: rows of a fully connected layer that share a scale with much larger ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

_QUIET = 31
"""of 127: five bits of eight are left for the magnitude"""
_LOUD = 64
"""that the largest weight must have: where none has, the weights are of few bits on purpose"""
_FEWEST_ROWS = 4


def find(subject: Subject) -> Iterator[Found]:
    for layer in subject.weighted:
        dense = layer.operator.name == "fully_connected" and layer.weights.dtype == "int8"
        if not dense or layer.weights.per_channel or layer.channels < _FEWEST_ROWS or layer.largest.max() < _LOUD:
            continue
        quiet = layer.largest[layer.largest > 0] <= _QUIET
        if quiet.size and quiet.mean() >= 0.5:
            loudest = int(np.argmax(layer.largest))
            yield Found(
                f"{int(quiet.sum())} of {layer.channels} rows use at most {_QUIET} of 127, because row {loudest} "
                "needs all",
                layer.graph.number,
                layer.operator,
                layer.weights,
            )


RULE = Rule(
    Explanation(
        "TE304",
        "quiet rows of a fully connected layer",
        "note",
        "All rows share one scale, and a few large weights decide it: the rest has two bits or more too few. A scale "
        "for each row, or weights that are kept small in training, give them back for nothing.",
        "It runs per-channel fully connected layers as fast as others.",
        "Convert with scales for each row, the default of tinyedge and of new TensorFlow:\n\n"
        '    dense = "_experimental_disable_per_channel_quantization_for_dense_layers"\n'
        "    setattr(converter, dense, False)\n\n"
        "or keep weights together in training: `kernel_constraint=keras.constraints.MaxNorm(2)`.",
    ),
    find,
)
