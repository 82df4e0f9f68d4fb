"""TE104: an input is float."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

BORDERS = "    converter.inference_input_type = tf.int8\n    converter.inference_output_type = tf.int8"
"""what to paste where a model is converted"""


def find(subject: Subject) -> Iterator[Found]:
    if not subject.is_quantized_in_part:
        return
    for key in subject.main.inputs:
        tensor = subject.main.tensors[key]
        if tensor.dtype == "float32" and subject.main.consumers(key):
            yield Found(
                f"it takes {tensor.bytes:,} B as float32, {tensor.elements:,} B as int8",
                tensor=tensor,
            )


RULE = Rule(
    Explanation(
        "TE104",
        "float input",
        "warning",
        "The model begins with a QUANTIZE: its input takes four times the RAM, and every value costs 30 to 40 "
        "instructions (more without a floating-point unit) before the first layer starts. Sensors give integers: "
        "scale and zero point can be applied where they are read, often for nothing.",
        "It runs such models bit-exactly; the QUANTIZE is a layer of its own.",
        "Where the model is converted with TensorFlow:\n\n" + BORDERS,
    ),
    find,
)
