"""Which operators tinyedge does not run, all of them, where checks before a build stop at the first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph, Operator
from tinyedge.ops import OPERATORS, refuse_float
from tinyedge.ops.checks import describe, rule_of


@dataclass(frozen=True)
class Verdict:
    """An operator that is refused."""

    operator: Operator
    kind: Literal["float", "unknown", "rule"]
    """computes in float32 or uint8; of a name that no kernel serves; breaks a rule of its name"""
    what: str


def judge_operators(graph: Graph) -> tuple[Verdict, ...]:
    """The operators of a settled graph, and of what they run, that are refused."""
    return tuple(_judge(graph))


def _judge(graph: Graph) -> Iterator[Verdict]:
    for operator in graph.operators:
        try:
            refuse_float(graph, operator)
        except ModelError as error:
            yield Verdict(operator, "float", error.what)
            continue
        if operator.name not in OPERATORS:
            yield Verdict(operator, "unknown", f"{describe(graph, operator)} is not supported")
            continue
        for constraint in OPERATORS[operator.name].constraints:
            if not constraint(graph, operator):
                yield Verdict(
                    operator, "rule", f"{describe(graph, operator)}: the rule is: {rule_of(constraint).rstrip('.')}"
                )
                break
        else:
            for subgraph in operator.subgraphs:
                yield from _judge(subgraph)
