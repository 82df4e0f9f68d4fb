"""TE220: one feature map that decides how much RAM the model needs."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.graph.stored import StoredOperator

_SMALLEST_BYTES = 16 * 1024
_TIMES = 3
"""as much RAM as any operator that does not touch it"""


def find(subject: Subject) -> Iterator[Found]:
    graph = subject.main
    computed = {key for operator in graph.operators for key in operator.outputs}
    if not computed:
        return
    largest = max((graph.tensors[key] for key in computed), key=lambda tensor: tensor.bytes)

    def working_bytes(operator: StoredOperator) -> int:
        keys = {*operator.inputs, *operator.outputs} - {-1}
        return sum(graph.tensors[key].bytes for key in keys if not graph.tensors[key].is_constant)

    touching = [*graph.consumers(largest.index), *(op for op in graph.operators if largest.index in op.outputs)]
    near = {operator.index for operator in touching}
    others = [working_bytes(operator) for operator in graph.operators if operator.index not in near]
    if len(others) < 2 or largest.bytes < _SMALLEST_BYTES:
        return
    most, rest = max(map(working_bytes, touching)), max(others)
    if most >= _TIMES * rest:
        yield Found(
            f"it takes {largest.bytes:,} B; with what is read and written beside it {most:,} B of RAM, where no "
            f"operator elsewhere needs more than {rest:,} B",
            0,
            graph.producer(largest.index),
            largest,
        )


RULE = Rule(
    Explanation(
        "TE220",
        "one huge activation",
        "warning",
        "RAM is reused from layer to layer, so the largest moment decides the size of the chip. Here one feature "
        "map, as a rule behind the first layer, takes several times what all others need.",
        "With `--max-ram` or `--optimize size` it computes such layers in rows, so that the map is never whole in "
        "memory, at some price in time.",
        "See what less RAM costs in time:\n\n"
        "    tinyedge plan MODEL --board nrf52840dk --ram-curve\n\n"
        "or let the first layer take a stride, or fewer channels:\n\n"
        '    layers.Conv2D(8, 3, strides=2, activation="relu")',
    ),
    find,
)
