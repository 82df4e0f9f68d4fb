"""TE301: a convolution with one scale for all its channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted


def find(subject: Subject) -> Iterator[Found]:
    for layer in subject.weighted:
        if layer.operator.name == "fully_connected" or layer.weights.per_channel or layer.channels < 2:
            continue
        yield Found(
            f"one scale for {counted(layer.channels, 'channel')}; the largest weights of these go from "
            f"{layer.largest.min():.0f} to {layer.largest.max():.0f}, half of the channels use at most "
            f"{np.median(layer.largest):.0f} of 127",
            layer.graph.number,
            layer.operator,
            layer.weights,
        )


RULE = Rule(
    Explanation(
        "TE301",
        "per-tensor convolution",
        "warning",
        "The channel with the largest weight decides how finely all others are rounded. A scale for each channel "
        "costs eight bytes a channel and no time in kernels, and is often worth several per cent of accuracy, most "
        "of all in depthwise convolutions.",
        "It runs both, at the same speed.",
        "Per channel is the converter's default; leave out whatever turned it off:\n\n"
        "    converter._experimental_disable_per_channel = False",
    ),
    find,
)
