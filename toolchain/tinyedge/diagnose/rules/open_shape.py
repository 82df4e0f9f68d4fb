"""TE213: an input whose shape is not fixed."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

FIXED_BATCH = (
    "Convert with a fixed batch:\n\n"
    "    spec = tf.TensorSpec([1, *model.input_shape[1:]])\n"
    "    function = tf.function(model).get_concrete_function(spec)\n"
    "    converter = tf.lite.TFLiteConverter.from_concrete_functions(\n"
    "        [function], model)"
)


def find(subject: Subject) -> Iterator[Found]:
    for key in subject.main.inputs:
        tensor = subject.main.tensors[key]
        if any(size < 0 for size in tensor.shape):
            yield Found(f"its shape {list(tensor.shape)} is not fixed at all", tensor=tensor)
        elif tensor.signature[1:] != tensor.shape[1:]:
            open_ = [axis for axis, size in enumerate(tensor.signature) if size < 0]
            yield Found(
                f"the sizes of its axes {', '.join(map(str, open_))} were open; the file is for {list(tensor.shape)}",
                tensor=tensor,
                severity="warning",
            )
        elif tensor.signature != tensor.shape:
            yield Found(f"its batch was open; it runs with {tensor.shape[0]}", tensor=tensor, severity="note")


RULE = Rule(
    Explanation(
        "TE213",
        "open shape",
        "error",
        "Memory on a microcontroller is planned before it runs, so every size has to be known. A converter puts 1 "
        "where the batch was left open, which is what is wanted. It puts 1 for an open height, width or length too, "
        "and the model then computes on one pixel. An open batch also keeps LSTMs from being recognized (TE210), and "
        "leaves arithmetic on shapes behind (TE212).",
        "It takes the shapes that stand in the file; where there are none it refuses the model. An open batch is a "
        "note.",
        FIXED_BATCH,
    ),
    find,
)
