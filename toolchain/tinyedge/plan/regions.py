"""Subgraphs made ready to be planned: what they read and give lies in memory of the graph around them.

An operand of a loop or a branch has no memory of its own within: its tensor is borrowed, a variable of the subgraph
that lies where the operand lies. A body writes the next value of what it changes into the same place, and a branch its
results where the operator's are: at once where an operator can write there, by a copy where it cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from tinyedge.graph.ir import Graph, Operator, Tensor
from tinyedge.optimize.rewrite import fresh_key

_IN_PLACE = frozenset(("dynamic_update_slice",))
"""operators whose output may be the very memory of their first input, whichever kernel runs them"""


def condition_region(graph: Graph) -> Graph:
    """The condition of a loop: its operands are borrowed, its one output is its own."""
    return _Region(graph).finish([key for key in graph.outputs if not graph.tensors[key].is_constant])


def body_region(graph: Graph) -> Graph:
    """The body of a loop, which leaves the next values of its first operands, one for each output, where these lie."""
    region = _Region(graph)
    region.give(graph.inputs[: len(graph.outputs)])
    return region.finish(())


def branch_region(graph: Graph) -> tuple[Graph, tuple[int, ...]]:
    """A branch, and the keys of borrowed tensors that it leaves its outputs in."""
    region = _Region(graph)
    targets = tuple(region.add_tensor(graph.tensors[key]) for key in graph.outputs)
    region.give(targets)
    return region.finish(()), targets


class _Region:
    """A subgraph while it becomes one."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.tensors = dict(graph.tensors)
        self.operators = list(graph.operators)
        self.borrowed = set(graph.inputs)

    def add_tensor(self, like: Tensor) -> int:
        """A borrowed tensor."""
        key = fresh_key(self.tensors)
        self.tensors[key] = replace(like, index=key, data=None)
        self.borrowed.add(key)
        return key

    def give(self, targets: Sequence[int]) -> None:
        """Leave the outputs of the subgraph in these tensors, all at once: none is changed that is still to be read."""
        pairs = [
            (source, target) for source, target in zip(self.graph.outputs, targets, strict=True) if source != target
        ]
        read, changed = {source for source, _ in pairs}, {target for _, target in pairs}
        moved: list[tuple[int, int]] = []
        for source, target in pairs:
            if source in changed:  # what another output changes
                kept = fresh_key(self.tensors)
                self.tensors[kept] = replace(self.tensors[source], index=kept)
                self._copy("read_variable", source, kept)
                moved.append((kept, target))
            elif target in read or not self._write_at_once(source, target):
                moved.append((source, target))
        for source, target in moved:
            self._copy("assign_variable", source, target)

    def _write_at_once(self, source: int, target: int) -> bool:
        """Make the operator that computes `source` write `target`, where nobody needs what either holds afterwards."""
        first, second = self.tensors[source], self.tensors[target]
        alike = (first.shape, first.dtype, first.quantization) == (second.shape, second.dtype, second.quantization)
        writer = next((at for at, op in enumerate(self.operators) if source in op.outputs), None)
        if writer is None or not alike or self.graph.outputs.count(source) > 1:
            return False
        operator = self.operators[writer]
        read = operator.inputs[1:] if operator.name in _IN_PLACE else operator.inputs
        later = {*read, *(key for op in self.operators[writer + 1 :] for key in op.inputs)}
        if later & {source, target}:
            return False
        outputs = tuple(target if key == source else key for key in operator.outputs)
        self.operators[writer] = replace(operator, outputs=outputs)
        del self.tensors[source]
        return True

    def _copy(self, name: str, source: int, target: int) -> None:
        index = max((operator.index for operator in self.operators), default=-1) + 1
        self.operators.append(Operator(index, name, (source,), (target,), MappingProxyType({})))

    def finish(self, outputs: Sequence[int]) -> Graph:
        for key in self.borrowed:
            tensor = self.tensors[key]
            # It begins with what is there: the rules about the start of a variable do not concern it.
            start = np.broadcast_to(np.zeros((), tensor.dtype.numpy), tensor.shape)
            self.tensors[key] = replace(tensor, is_variable=True, start=start)
        return self.graph.evolve(
            tensors=self.tensors,
            operators=tuple(self.operators),
            inputs=(),
            outputs=tuple(outputs),
            borrowed=frozenset(self.borrowed),
        )
