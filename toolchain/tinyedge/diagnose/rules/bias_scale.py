"""TE309: a bias in other steps than the sums it is added to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.weights import sound_scales

_TOLERANCE = 0.02


def find(subject: Subject) -> Iterator[Found]:
    for layer in subject.weighted:
        bias = layer.bias_tensor
        if bias is None or not bias.scale or not sound_scales(bias, layer.channels) or not layer.bias.any():
            continue
        wanted = layer.scale * layer.source.scale[0]
        stated = np.broadcast_to(np.asarray(bias.scale, np.float64), wanted.shape)
        off = (np.abs(stated - wanted) > _TOLERANCE * wanted) & (wanted > 0) & (layer.bias != 0)
        if off.any():
            worst = int(np.argmax(off))
            yield Found(
                f"the bias of channel {worst} is in steps of {stated[worst]:.3g}, input times weight gives "
                f"{wanted[worst]:.3g}",
                layer.graph.number,
                layer.operator,
                bias,
            )


RULE = Rule(
    Explanation(
        "TE309",
        "bias of another scale",
        "warning",
        "A bias is added to the sum of products as it is, so its step has to be input scale times weight scale. "
        "Runtimes do not rescale it, whatever the file says: with another scale it is too large or too small by that "
        "factor. A tool has changed scales of the file and forgotten the bias.",
        "It adds the bias as it stands, as TensorFlow Lite Micro does.",
        "Convert the float model again instead of editing the file:\n\n"
        "    tinyedge convert float_model.tflite --data samples.npz",
    ),
    find,
)
