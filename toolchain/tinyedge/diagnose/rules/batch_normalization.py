"""TE207: a batch normalization that was not folded into the convolution before it."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted
from tinyedge.graph.stored import StoredGraph, StoredOperator, StoredTensor

_WEIGHTED = ("conv_2d", "depthwise_conv_2d", "fully_connected", "transpose_conv")
_FARTHEST = 8
"""operators between the layer and its normalization: activations, pooling, a sum of branches"""


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in subject.operators():
        operands = _with_constant(graph, operator)
        if operator.name != "mul" or operands is None or not _behind_weights(graph, operands[0]):
            continue
        readers = [reader for key in operator.outputs for reader in graph.consumers(key)]
        shift = next((reader for reader in readers if reader.name in ("add", "sub") and reader.outputs), None)
        if shift is None or _with_constant(graph, shift) is None:
            continue
        target = graph.tensors[shift.outputs[0]]
        yield Found(
            f"it and operator {shift.index} `{shift.name}` scale and shift {counted(target.elements, 'value')} by "
            f"constants, one for each of {operands[1].elements} channels",
            graph.number,
            operator,
            operands[1],
        )


def _with_constant(graph: StoredGraph, operator: StoredOperator) -> tuple[StoredTensor, StoredTensor] | None:
    """(computed operand, constant of one value a channel); None where an operator has not these two."""
    operands = graph.operands(operator)
    computed, constants = [t for t in operands if not t.is_constant], [t for t in operands if t.is_constant]
    if len(computed) != 1 or len(constants) != 1 or not computed[0].shape:
        return None
    channels = computed[0].shape[-1]
    per_channel = 1 < constants[0].elements == channels == constants[0].shape[-1]
    return (computed[0], constants[0]) if per_channel else None


def _behind_weights(graph: StoredGraph, tensor: StoredTensor) -> bool:
    """A Normalization of the inputs has no layer before it, and is meant so."""
    producer = graph.producer(tensor.index)
    for _ in range(_FARTHEST):
        if producer is None or producer.name in _WEIGHTED or not producer.inputs:
            break
        producer = graph.producer(producer.inputs[0])
    return producer is not None and producer.name in _WEIGHTED


RULE = Rule(
    Explanation(
        "TE207",
        "batch normalization left over",
        "warning",
        "A batch normalization right behind a convolution, without an activation between, is folded into its weights "
        "and costs nothing. Behind an activation or a pooling, or behind a Dense layer in training that knows of "
        "quantization, it stays: two more passes over all values, rounded to 8 bits twice more.",
        "It runs the two as layers of their own.",
        "Put the normalization between the convolution and its activation:\n\n"
        "    x = layers.Conv2D(16, 3, use_bias=False)(x)\n"
        "    x = layers.BatchNormalization()(x)\n"
        "    x = layers.ReLU()(x)",
    ),
    find,
)
