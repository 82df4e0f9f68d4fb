"""TE306: channels that always give the same value."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted


def find(subject: Subject) -> Iterator[Found]:
    for layer in subject.weighted:
        stuck = layer.constant_channels()
        if not stuck.any():
            continue
        empty = int((layer.largest[stuck] == 0).sum())
        scale = float(layer.scale[stuck].min())
        bias = float(np.abs(layer.bias[stuck]).max())
        yield Found(
            f"{int(stuck.sum())} of {counted(layer.channels, 'channel')} give one value whatever comes in ({empty} "
            f"have no weight at all; scales down to {scale:.1e}, biases up to {bias:,.0f})",
            layer.graph.number,
            layer.operator,
            layer.weights,
        )


RULE = Rule(
    Explanation(
        "TE306",
        "constant channels",
        "warning",
        "Pruning, strong regularization or dead ReLUs left channels whose weights are zero, or so small that their "
        "scale is nearly nothing. They take flash, time and RAM like all others, in this layer and in the next. "
        "Converters give them tiny scales and biases near 2^30, which fast kernels cannot take.",
        "It removes such channels where that makes the model cheaper, and keeps others from closing fast kernels; "
        "the outputs stay the same to the last bit.",
        "Make the layer narrower by as many channels, and train again:\n\n"
        "    layers.Conv2D(16, 3)    # not 32, when 16 are empty",
    ),
    find,
)
