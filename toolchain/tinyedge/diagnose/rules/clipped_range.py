"""TE307: an activation range that is too small for what comes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.weights import NOTHING, Weighted, is_activation, real_range

_MOST_CLIPPED = 0.1
"""of the values, for samples that were given"""
_FRACTION = 1 / 8
"""of the standard deviation: networks that work have ranges of half a deviation and more"""


def find(subject: Subject) -> Iterator[Found]:
    yield from _measured(subject)
    for graph in subject.graphs:
        for tensor in graph.tensors:
            used = bool(graph.consumers(tensor.index)) or graph.producer(tensor.index) is not None
            if used and tensor.dtype == "int8" and is_activation(tensor):
                low, high = real_range(tensor)
                if high - low < NOTHING:
                    yield Found(
                        f"it is quantized for {low:.1e} to {high:.1e}: calibration saw one value only",
                        graph.number,
                        graph.producer(tensor.index),
                        tensor,
                    )
    for layer in subject.weighted:
        deviation = _typical(layer)
        low, high = real_range(layer.target)
        if deviation and NOTHING <= high - low < _FRACTION * deviation:
            yield Found(
                f"its output is quantized for {low:.3g} to {high:.3g}, but for inputs drawn evenly from their range "
                f"it spreads by {deviation:.3g} (standard deviation): nearly everything is cut off",
                layer.graph.number,
                layer.operator,
                layer.target,
            )


def _measured(subject: Subject) -> Iterator[Found]:
    """What samples showed, where there are some."""
    for key, share in subject.clipped.items():
        if share > _MOST_CLIPPED and key < len(subject.main.tensors):
            tensor = subject.main.tensors[key]
            low, high = real_range(tensor)
            yield Found(
                f"its output is quantized for {low:.3g} to {high:.3g}; {share:.0%} of what the samples give is cut "
                "off there",
                0,
                subject.main.producer(key),
                tensor,
            )


def _typical(layer: Weighted) -> float:
    """Real: the median standard deviation of the channels that change; 0 where none does."""
    alive = ~layer.constant_channels()
    return float(np.median(layer.deviation()[alive])) if alive.any() else 0.0


RULE = Rule(
    Explanation(
        "TE307",
        "representative set too small",
        "warning",
        "Ranges of activations are those that the representative data set showed. One sample, silence, black images "
        "or the wrong scaling show hardly anything, and on the device nearly all values are clipped to the ends of "
        "the range: accuracy collapses although the conversion went well.",
        "It runs the model as it is. With `--data`, and for a recipe, `check` runs some samples and measures how "
        "much is cut off; without, it tells what weights alone prove. What `tinyedge convert` is given is used for "
        "calibration whole, and the result is compared with the float model.",
        "Calibrate with real samples, some hundred of each class, scaled as in training:\n\n"
        "    tinyedge convert float_model.tflite --data samples.npz",
    ),
    find,
)
