"""TE215: transposes between layouts."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted

_LAYERS = ("conv_2d", "depthwise_conv_2d", "average_pool_2d", "max_pool_2d", "fully_connected", "mean", "reshape")


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in subject.operators():
        if operator.name != "transpose" or not operator.outputs or not operator.inputs:
            continue
        producer = graph.producer(operator.inputs[0])
        around = [*graph.consumers(operator.outputs[0]), *([] if producer is None else [producer])]
        if not any(near.name in _LAYERS for near in around):
            continue
        gone = graph.number == 0 and subject.folds(operator)
        count = graph.tensors[operator.outputs[0]].elements
        yield Found(
            "it moves "
            f"{counted(count, 'value')}{', and tinyedge folds it away; other runtimes run it' if gone else ''}",
            graph.number,
            operator,
            severity="note" if gone else "warning",
        )


RULE = Rule(
    Explanation(
        "TE215",
        "transpose between layouts",
        "warning",
        "PyTorch and ONNX put channels first, TensorFlow Lite last. Conversions leave TRANSPOSE where the two meet: "
        "a copy of a whole feature map, value by value, into a second buffer.",
        "It folds transposes in front of MEAN, RESHAPE and fully connected layers into weights (a note); others run.",
        "From PyTorch, let the converter take the input with channels last:\n\n"
        "    model = litert_torch.to_channel_last_io(model, args=[0])",
    ),
    find,
)
