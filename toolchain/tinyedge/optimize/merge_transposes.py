"""Take together transposes that follow each other, with reshapes between, and take away those that move nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from tinyedge.graph.access import constant
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops.reshape import Reshape
from tinyedge.optimize.rewrite import add_tensors, fresh_key, replace_operator, try_parse

_LONGEST = 8
"""operators that are taken together"""
_MOST_ELEMENTS = 1 << 20
"""of a tensor whose elements are followed"""


@dataclass(frozen=True)
class _Chain:
    """What a transpose gives, seen from a tensor further up.

    source  key of that tensor
    places  for each element of the result, which of the source it is
    order   of axes, where nothing but transposes lies between, that nobody else reads; else None
    length  operators that are taken together
    """

    source: int
    places: Array
    order: tuple[int, ...] | None
    length: int


def merge_transposes(graph: Graph) -> Graph:
    """Make a reshape of transposes that together leave every element in its place, and one transpose of several.

    Lossless: elements are copied, and where each one goes is followed. A transpose moves nothing when the axes that
    change places have one element, or when another one before it moved all the other way.
    """
    for index in [operator.index for operator in graph.operators if operator.name == "transpose"]:
        operator = next(operator for operator in graph.operators if operator.index == index)
        chains = list(_chains(graph, operator))
        unmoved = [chain for chain in chains if (chain.places[:-1] < chain.places[1:]).all()]
        if unmoved:
            reshape = replace(operator, name="reshape", inputs=(unmoved[-1].source,), options=MappingProxyType({}))
            graph = replace_operator(graph, reshape)
        elif joined := [chain for chain in chains if chain.order is not None and chain.length > 1]:
            graph = _joined(graph, operator, joined[-1])
    return graph


def _chains(graph: Graph, operator: Operator) -> Iterator[_Chain]:
    """What an operator gives, seen from further and further up."""
    chain: _Chain | None = None
    step: Operator | None = operator
    while step is not None and (chain := _longer(graph, step, chain)) is not None:
        yield chain
        step = graph.producer(chain.source)


def _longer(graph: Graph, step: Operator, chain: _Chain | None) -> _Chain | None:
    """The chain with one more operator in front; None where the elements cannot be followed."""
    layer = try_parse(graph, step)
    if layer is None or layer.inputs[:1] != (graph.tensors[step.inputs[0]],) or (chain and chain.length == _LONGEST):
        return None
    source = layer.inputs[0]
    if source.is_variable or layer.outputs[0].is_variable or not 0 < source.elements <= _MOST_ELEMENTS:
        return None
    places = np.arange(source.elements)
    order: tuple[int, ...] | None = None
    if step.name == "transpose":
        order = tuple(int(axis) for axis in constant(graph.tensors[step.inputs[1]]).reshape(-1))
        places = places.reshape(source.shape).transpose(order).reshape(-1)
    elif not isinstance(layer.params, Reshape):
        return None
    if chain is None:
        return _Chain(source.index, places, order, 1)
    alone = len(graph.consumers(chain.source)) == 1 and chain.source not in graph.outputs
    both = None if order is None or chain.order is None or not alone else tuple(order[axis] for axis in chain.order)
    return _Chain(source.index, places[chain.places], both, chain.length + 1)


def _joined(graph: Graph, operator: Operator, chain: _Chain) -> Graph:
    """The graph with one transpose from the start of the chain."""
    assert chain.order is not None
    key = fresh_key(graph.tensors)
    order = Tensor(key, "order", (len(chain.order),), DType.INT32, data=np.array(chain.order, np.int32))
    return replace_operator(add_tensors(graph, [order]), replace(operator, inputs=(chain.source, key)))
