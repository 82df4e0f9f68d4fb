"""What a rule is, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyedge.artifacts import Observer, Silence
from tinyedge.artifacts.diagnosis import Explanation, Severity
from tinyedge.diagnose.clipping import clipped_shares
from tinyedge.diagnose.verdicts import Verdict, judge_operators
from tinyedge.diagnose.weights import Weighted, list_weighted
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array, Graph, Operator
from tinyedge.graph.reader import read_model
from tinyedge.graph.stored import StoredGraph, StoredModel, StoredOperator, StoredTensor, read_stored
from tinyedge.optimize import optimize_graph, settle_graph


@dataclass(frozen=True)
class Found:
    """One place where a rule found its trouble; what it leaves out is as its `Rule` says."""

    what: str
    graph: int = 0
    operator: StoredOperator | Operator | None = None
    tensor: StoredTensor | None = None
    severity: Severity | None = None
    fix: str | None = None


class Subject:
    """A model that is looked at: as the file states it, what tinyedge makes of it, and what samples do in it.

    samples   [N, *shape] for each input, of its type; may be none

    Raises: ModelError when the file is damaged, or none of TensorFlow Lite
    """

    def __init__(
        self,
        tflite: bytes,
        name: str,
        samples: Sequence[Array] = (),
        observer: Observer | None = None,
    ) -> None:
        self._samples, self._observer = samples, observer or Silence()
        self.stored: StoredModel = read_stored(tflite, name)
        self.settled: Graph | None = None
        """what is checked before planning; None where no graph can express the file"""
        self.refusal: ModelError | None = None
        """why tinyedge does not take the file, where it cannot even be expressed"""
        try:
            self.settled = settle_graph(read_model(tflite, name))
        except ModelError as error:
            self.refusal = error

    @property
    def main(self) -> StoredGraph:
        return self.stored.graphs[0]

    @cached_property
    def graphs(self) -> tuple[StoredGraph, ...]:
        """The subgraphs that run."""
        return tuple(self.stored.used_graphs())

    def operators(self) -> Iterator[tuple[StoredGraph, StoredOperator]]:
        """All operators that run, with their subgraphs."""
        return ((graph, operator) for graph in self.graphs for operator in graph.operators)

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The operators that tinyedge does not run."""
        return () if self.settled is None else judge_operators(self.settled)

    @cached_property
    def planned(self) -> frozenset[int] | None:
        """The indices of the operators that are left to plan; None for a model that does not run."""
        if self.settled is None or self.verdicts:
            return None
        return frozenset(operator.index for operator in optimize_graph(self.settled).operators)

    def folds(self, operator: StoredOperator) -> bool:
        """Whether tinyedge runs the model, and this operator of its first subgraph is not among what it plans."""
        return self.planned is not None and operator.index not in self.planned

    @cached_property
    def clipped(self) -> Mapping[int, float]:
        """Of the first subgraph, by tensor, the share of values that the samples drive beyond their range; empty
        without samples, and for a model that does not run."""
        if not self._samples or self.settled is None or self.verdicts:
            return {}
        with self._observer.progress("run samples") as progress:
            return clipped_shares(self.settled, self._samples, progress)

    @cached_property
    def weighted(self) -> tuple[Weighted, ...]:
        """The layers with constant integer weights."""
        return tuple(layer for graph in self.graphs for layer in list_weighted(graph))

    @cached_property
    def is_quantized_in_part(self) -> bool:
        """Whether something is computed in int8, uint8 or int16."""
        return any(
            tensor.dtype in ("int8", "uint8", "int16")
            for graph, operator in self.operators()
            for tensor in graph.results(operator)
        )


@dataclass(frozen=True)
class Rule:
    """One kind of trouble. `explanation.fix` is that of every finding that has none of its own."""

    explanation: Explanation
    find: Callable[[Subject], Iterable[Found]]
    alone: bool = False
    """told only where no other rule found an error in the same operator, or, of no operator, any error"""
