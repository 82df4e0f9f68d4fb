"""TE212: shapes that are computed at every inference although they are fixed."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.rules.open_shape import FIXED_BATCH
from tinyedge.diagnose.words import counted

_STARTS = ("shape", "rank")


def find(subject: Subject) -> Iterator[Found]:
    left = None if subject.settled is None else {operator.index for operator in subject.settled.operators}
    for graph in subject.graphs:
        starts = [operator for operator in graph.operators if operator.name in _STARTS]
        if not starts:
            continue
        known = {key for operator in starts for key in operator.outputs}
        chain = list(starts)
        for operator in graph.operators:
            integers = all(tensor.dtype in ("int32", "int64", "bool") for tensor in graph.results(operator))
            if integers and operator.name not in _STARTS and known.intersection(operator.inputs):
                chain.append(operator)
                known.update(operator.outputs)
        names = ", ".join(dict.fromkeys(operator.name for operator in chain))
        folded = graph.number == 0 and left is not None and not left.intersection(op.index for op in chain)
        here = "tinyedge computes them at build time, TensorFlow Lite Micro at every inference" if folded else ""
        yield Found(
            f"{counted(len(chain), 'operator')} ({names}) compute shapes{'; ' + here if here else ''}",
            graph.number,
            chain[0],
            severity="note" if folded else "warning",
        )


RULE = Rule(
    Explanation(
        "TE212",
        "shape arithmetic left over",
        "warning",
        "Where the batch is open, Flatten, Reshape and Conv2DTranspose become SHAPE, STRIDED_SLICE, PACK and more: "
        "kernels that have to be linked in, and run, to find numbers that never change.",
        "What the file's shapes fix is computed at build time, and the operators are gone (a note). What really "
        "depends on data stays (a warning).",
        FIXED_BATCH,
    ),
    find,
)
