"""TE103: some operators of a quantized model compute in float."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.floats import float_operators, hybrid_weights
from tinyedge.diagnose.words import counted
from tinyedge.ops.checks.float_only import FLOAT_ONLY, NO_KERNEL


def find(subject: Subject) -> Iterator[Found]:
    if not subject.is_quantized_in_part:
        return
    refused = {verdict.operator.index for verdict in subject.verdicts}
    left = None if subject.settled is None else {operator.index: operator for operator in subject.settled.operators}
    for graph, operator in float_operators(subject):
        if hybrid_weights(graph, operator) is not None:
            continue
        count = max((tensor.elements for tensor in graph.results(operator)), default=0)
        what = f"it computes {counted(count, 'value')} in float32"
        instead = FLOAT_ONLY.get(operator.name) or NO_KERNEL.get(operator.name)
        fix = f"In place of `{operator.name}`: {instead}" if instead else None
        if graph.number == 0 and (left is None or operator.index in refused):
            yield Found(f"{what}, which tinyedge has no kernel for", graph.number, operator, fix=fix)
            continue
        gone = graph.number == 0 and left is not None and operator.index not in left
        how = "; tinyedge makes a table of 256 results of it, TensorFlow Lite Micro computes each" if gone else ""
        yield Found(what + how, graph.number, operator, severity="warning", fix=fix)


RULE = Rule(
    Explanation(
        "TE103",
        "float island",
        "error",
        "The converter had no int8 form of an operator, and left it in float between DEQUANTIZE and QUANTIZE. Each "
        "of its values is turned into a float, computed in float, and rounded back: tens to hundreds of instructions "
        "an element where an int8 table takes three, and four bytes of RAM where one would do.",
        "Islands that are a function of one int8 value become a table of 256 results. Others run in float where "
        "there is a kernel (a warning), or are refused (an error).",
        "Replace the activation by one that int8 has, and convert again:\n\n"
        '    keras.layers.Activation("relu")    # or "tanh", "sigmoid", "hard_swish"',
    ),
    find,
)
