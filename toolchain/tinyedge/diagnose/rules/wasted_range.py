"""TE303: an activation whose range is mostly out of reach."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.weights import NOTHING, real_range

_LEAST_USED = 0.5
"""of the range: one bit is lost below"""


def find(subject: Subject) -> Iterator[Found]:
    """int16 is symmetric, so that half of it lies idle behind a ReLU: only int8 is looked at."""
    for layer in subject.weighted:
        if layer.target.dtype != "int8":
            continue
        low, high = real_range(layer.target)
        if high - low < NOTHING:  # TE307
            continue
        least, most = layer.reach()
        used = max(min(high, most) - max(low, least), 0.0) / (high - low)
        if used < _LEAST_USED and most > least:
            yield Found(
                f"its output is quantized for {low:.4g} to {high:.4g}, but weights, input and activation cannot give "
                f"more than {least:.4g} to {most:.4g}: {max(round(256 * used), 1)} of 256 values",
                layer.graph.number,
                layer.operator,
                layer.target,
            )


RULE = Rule(
    Explanation(
        "TE303",
        "wasted activation range",
        "warning",
        "An activation has 256 values. Where its range was taken from a training that did not move it (it begins at "
        "-6 to 6 in quantization-aware training), from outliers in the representative set, or from before a ReLU, "
        "few of them are ever used, and everything behind is computed with 7, 6 or 5 bits.",
        "It runs the model as it is; what is told here is proved from the weights, whatever the input.",
        "Calibrate with real samples, as the device will see them, some hundred of each class:\n\n"
        "    tinyedge convert float_model.tflite --data samples.npz\n\n"
        "After quantization-aware training, train longer; from PyTorch, join a layer and its ReLU before quantizing.",
    ),
    find,
)
