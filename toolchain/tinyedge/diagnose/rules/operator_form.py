"""TE204: an operator in a form that its kernels do not take."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject


def find(subject: Subject) -> Iterator[Found]:
    for verdict in subject.verdicts:
        if verdict.kind == "rule":
            yield Found(
                verdict.what,
                operator=verdict.operator,
                fix=f"Change this layer so that it keeps the rule, and convert again. All rules of it:\n\n"
                f"    tinyedge ops {verdict.operator.name}",
            )


RULE = Rule(
    Explanation(
        "TE204",
        "operator breaks a rule",
        "error",
        "There is a kernel for the operator, but not for these types, shapes or options. Runtimes for "
        "microcontrollers check little of that: some fail when tensors are allocated, some compute something else.",
        "It refuses the model, and says the rule that is broken.",
        "See the rules of the operator, and change the layer so that it keeps them:\n\n    tinyedge ops conv_2d",
    ),
    find,
    alone=True,
)
