"""TE211: a recurrent layer written out step by step."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted

_WEIGHTED = ("fully_connected", "conv_2d", "depthwise_conv_2d", "batch_matmul")
_FEWEST = 4
"""times that the same weights are used; siamese networks use theirs two or three times"""


def find(subject: Subject) -> Iterator[Found]:
    for graph in subject.graphs:
        total = len(graph.operators)
        for tensor in graph.tensors:
            if not tensor.is_constant or len(tensor.shape) < 2:
                continue
            readers = [
                op for op in graph.consumers(tensor.index) if op.name in _WEIGHTED and op.inputs[1:2] == (tensor.index,)
            ]
            if len(readers) >= _FEWEST:
                yield Found(
                    f"{counted(len(readers), 'operator')} use these weights, in a model of "
                    f"{counted(total, 'operator')}",
                    graph.number,
                    readers[0],
                    tensor,
                )


RULE = Rule(
    Explanation(
        "TE211",
        "unrolled recurrent layer",
        "warning",
        "With `unroll=True`, and always from PyTorch, an LSTM or GRU is written out: a dozen operators for each "
        "step, each with its own call, its own scales and its own buffers. Code and planning grow with the length of "
        "the sequence, and each step rounds several times more than a recurrent kernel does.",
        "It runs them, operator by operator.",
        "An LSTM of Keras stays one operator when it is not unrolled and the batch is fixed to 1:\n\n"
        "    layers.LSTM(16)    # without unroll=True\n"
        "    spec = tf.TensorSpec([1, 49, 10])\n"
        "    function = tf.function(model).get_concrete_function(spec)\n"
        "    converter = tf.lite.TFLiteConverter.from_concrete_functions(\n"
        "        [function], model)",
    ),
    find,
)
