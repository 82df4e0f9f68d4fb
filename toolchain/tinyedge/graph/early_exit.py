"""Networks that may answer before their end, as a .tflite states them: a test of logits, and the rest within an `if`.

The test is one of integers: how many logits are within `threshold` steps of the largest; where it is alone, the network
answers from what it has. In operators, with `t` the threshold:

    reduce_max(logits) -> sub(that, logits) -> less_equal(that, t)
        -> select_v2(that, 1, 0) -> sum -> less_equal(that, 1)
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.graph.ir import Graph, Operator, Tensor

TEST = ("less_equal", "sum", "select_v2", "less_equal", "sub")
"""the operators of the test, from its end on; the second input of the last one is the logits"""


@dataclass(frozen=True, eq=False)
class EarlyExit:
    """Where a network may stop.

    branch     the `if` whose first subgraph answers early, and whose second computes the rest
    logits     int8 [1, classes], what is tested
    threshold  steps of `logits` by which the largest must lead the others by more than
    """

    branch: Operator
    logits: Tensor
    threshold: int


def find_early_exit(graph: Graph) -> EarlyExit | None:
    """The exit of a graph as it stands in the file; None when it has none of this kind."""
    for branch in graph.operators:
        if branch.name == "if" and len(branch.subgraphs) == 2 and (found := _tested(graph, branch)) is not None:
            return EarlyExit(branch, *found)
    return None


def _tested(graph: Graph, branch: Operator) -> tuple[Tensor, int] | None:
    """(logits, threshold) of the condition of a branch, if it is that of an early exit."""
    key = branch.inputs[0]
    compared: Operator | None = None
    for name in TEST:
        operator = graph.producer(key)
        if operator is None or operator.name != name:
            return None
        if name == "less_equal":
            compared = operator
        key = operator.inputs[0]
    difference = graph.producer(compared.inputs[0]) if compared is not None else None
    if compared is None or difference is None:
        return None
    limit, logits = graph.tensor(compared.inputs[1]), graph.tensor(difference.inputs[1])
    if limit.data is None or limit.elements != 1 or limit.quantization is None:
        return None
    return logits, int(limit.data.reshape(-1)[0]) - limit.zero_point
