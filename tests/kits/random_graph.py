"""Random small networks over all operators, as .tflite files.

Every operator has an entry in NODES of its file in tests/ops: a function that takes tensors from a `Draft` and adds
the operator to it. Networks are numbered; the same (seed, number) gives the same file. Operators are dealt like cards:
after as many networks as there are operators divided by CARDS, each operator has been in one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kits.draft import Draft
from kits.operators import NODES
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.kernels import KERNELS
from tinyedge.ops import OPERATORS, check
from tinyedge.optimize import optimize_graph, settle_graph, settle_islands

Array = npt.NDArray[Any]

RUN = frozenset((*(name for kernel in KERNELS for name in kernel.operators), "if", "while"))
"""operators that a kernel serves, and those that run what kernels serve"""
CARDS = 6
"""operators that a network gets in turn"""
_COMMON = ("conv_2d", "depthwise_conv_2d", "fully_connected", "add", "average_pool_2d", "relu")
"""further operators, drawn more often in networks as in life"""
_ATTEMPTS = 40


@dataclass(frozen=True, eq=False)
class RandomModel:
    """A network that tinyedge accepts."""

    seed: int
    number: int
    tflite: bytes
    graph: Graph
    ranges: tuple[tuple[float, float] | None, ...]
    """per input the values it may have; None: all of its type"""
    refused: tuple[str, ...]
    """why earlier attempts at this number were refused"""

    @property
    def title(self) -> str:
        return f"seed {self.seed} number {self.number}"

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of those that are checked, of those in the file that passes removed before, and of those they make."""
        graphs = (self.graph, read_model(self.tflite, self.title), optimize_graph(self.graph))
        return tuple(dict.fromkeys(operator.name for graph in graphs for operator in graph.operators))

    def samples(self, count: int) -> list[tuple[Array, ...]]:
        """Inputs for some inferences, one after the other: random values, in the last one the ends of the range."""
        chance = np.random.default_rng([self.seed, self.number, 1])
        return [
            tuple(
                _values(chance, tensor.shape, tensor.dtype.numpy, limits, ends=sample == count - 1)
                for tensor, limits in zip(self.graph.input_tensors(), self.ranges, strict=True)
            )
            for sample in range(count)
        ]


def _values(
    chance: np.random.Generator,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    limits: tuple[float, float] | None,
    *,
    ends: bool,
) -> Array:
    if dtype.kind == "f":
        low, high = limits or (-100.0, 100.0)
        return np.asarray(chance.uniform(low, high, shape), dtype)
    if dtype.kind == "b":
        return np.asarray(chance.integers(0, 2, shape), dtype)
    info = np.iinfo(dtype)
    smallest, largest = (info.min, info.max) if limits is None else (int(limits[0]), int(limits[1]))
    drawn = np.uint64 if largest > np.iinfo(np.int64).max else np.int64
    if ends:
        return np.asarray(chance.choice(np.array([smallest, largest], drawn), shape), dtype)
    return np.asarray(chance.integers(smallest, largest, shape, drawn, endpoint=True), dtype)


def dealt(seed: int, number: int, names: Iterable[str] = OPERATORS) -> list[str]:
    """The operators that network `number` must hold."""
    cards = sorted(set(names) & set(NODES) & RUN)
    hand = []
    for place in range(number * CARDS, (number + 1) * CARDS):
        deck, position = divmod(place, len(cards))
        hand.append(cards[int(np.random.default_rng([seed, deck, 2]).permutation(len(cards))[position])])
    return hand


def random_model(seed: int, number: int) -> RandomModel:
    """Network `number` of a seed. Raises: AssertionError when tinyedge refuses all attempts at it."""
    return draw(seed, number, dealt(seed, number))


def _is_accepted(graph: Graph) -> bool:
    try:
        check(graph)
    except ModelError:
        return False
    return True


def draw(seed: int, number: int, operators: Iterable[str], further: int = 3) -> RandomModel:
    """A network of these operators in random order, and up to some `further` ones."""
    refused = []
    for attempt in range(_ATTEMPTS):
        chance = np.random.default_rng([seed, number, 0, attempt])
        draft = Draft(chance)
        common = [name for name in _COMMON if name in OPERATORS]
        names = [*operators, *(draft.pick(*common) for _ in range(draft.number(0, further)))]
        draft.input(draft.sizes(draft.pick(4, 4, 4, 3, 2), 7))
        for at in chance.permutation(len(names)):
            NODES[names[at]](draft)
        tflite = draft.finish()
        graph = read_model(tflite, f"random_{seed}_{number}")
        for rewrite in (settle_islands, settle_graph):  # as it is, with every operator; else as it is compiled
            graph = graph if _is_accepted(graph) else rewrite(graph)
        try:
            check(graph)
        except ModelError as error:
            refused.append(str(error))
            continue
        return RandomModel(seed, number, tflite, graph, tuple(draft.ranges), tuple(refused))
    raise AssertionError(f"seed {seed} number {number}: refused {_ATTEMPTS} times, e.g.\n" + "\n".join(refused[-5:]))
