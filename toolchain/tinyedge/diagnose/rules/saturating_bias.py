"""TE305: biases that do not fit their scale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted

_LIMIT = (1 << 31) - 1
_SPAN = {"int4": 15, "int8": 255, "uint8": 255, "int16": 65535}


def find(subject: Subject) -> Iterator[Found]:
    refused = {verdict.operator.index for verdict in subject.verdicts}
    for layer in subject.weighted:
        if layer.bias_tensor is None or layer.bias_tensor.dtype != "int32":
            continue
        beyond = np.abs(layer.bias) + layer.magnitudes * _SPAN[layer.source.dtype] > _LIMIT
        if beyond.any():
            worst = int(np.argmax(np.abs(layer.bias)))
            yield Found(
                f"the bias of channel {worst} is {int(layer.bias[worst]):,}, and with what the weights add the sums "
                f"of {counted(int(beyond.sum()), 'channel')} can leave int32 ({_LIMIT:,})",
                layer.graph.number,
                layer.operator,
                layer.bias_tensor,
                severity="error" if layer.graph.number == 0 and layer.operator.index in refused else "warning",
            )


RULE = Rule(
    Explanation(
        "TE305",
        "saturating bias",
        "error",
        "A bias is stored in steps of input scale times weight scale. When these are tiny, as after a calibration "
        "with inputs near zero, or with weights that regularization has driven to nothing, a plain bias needs more "
        "than 32 bits: the converter cuts it off, or sums wrap around, and the channel gives nonsense.",
        "It proves that no sum leaves 32 bits, and refuses a layer where one can (an error).",
        "Calibrate with inputs in the range that the model was trained for, and scale inputs to about -1 to 1:\n\n"
        "    layers.Normalization()    # first, adapted to the training set",
    ),
    find,
)
