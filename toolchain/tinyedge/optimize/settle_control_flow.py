"""Give loops and branches no more than they need, and constants where the file passes constants through them.

In a file every value that a loop reads goes through it, changed or not: input, condition, body and output have one
place for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tinyedge.graph.access import constant
from tinyedge.graph.ir import Graph, Operator, Tensor
from tinyedge.optimize.rewrite import read_instead, replace_operator, try_parse


def settle_control_flow(graph: Graph) -> Graph:
    """Take away results that nobody reads and operands that nothing depends on; make constants of operands that are.

    What the body of a loop gives back as it came is read in front of the loop. Lossless: the bytes that are computed
    stay the same; only where they are read changes.
    """
    for index in [operator.index for operator in graph.operators if len(operator.subgraphs) == 2]:
        for step in (_without_unread, _with_read_only, _with_constants):
            operator = next(op for op in graph.operators if op.index == index)
            if not _is_regular(operator):
                break
            graph = step(graph, operator)
    return graph


def _is_regular(operator: Operator) -> bool:
    """Whether the numbers of operands and results are those of the subgraphs; what is not is refused later."""
    if not operator.outputs or min(operator.inputs, default=-1) < 0:
        return False
    first, second = operator.subgraphs
    count = len(operator.inputs) - _first_operand(operator)
    results = {len(inner.outputs) for inner in operator.subgraphs if operator.name == "if" or inner is second}
    return (
        {len(first.inputs), len(second.inputs)} == {count}
        and results == {len(operator.outputs)}
        and (operator.name == "if" or len(operator.outputs) <= count)
    )


def _first_operand(operator: Operator) -> int:
    return 1 if operator.name == "if" else 0


def _is_read(graph: Graph, key: int) -> bool:
    return key in graph.outputs or bool(graph.consumers(key))


# -- what nobody reads -----------------------------------------------------------------------------------------------


def _without_unread(graph: Graph, operator: Operator) -> Graph:
    """The operator without results that are not read, and without operands that no other result depends on."""
    first, second = operator.subgraphs
    results = [at for at, key in enumerate(operator.outputs) if _is_read(graph, key)] or [0]
    if operator.name == "if":
        operands = {at for inner in (first, second) for at in _depends_on(inner, [inner.outputs[r] for r in results])}
    else:
        operands = {*results, *_depends_on(first, first.outputs)}
        while True:
            changed = [second.outputs[at] for at in operands if at < len(operator.outputs)]
            further = operands | _depends_on(second, changed)
            if further == operands:
                break
            operands = further
        results = [at for at in range(len(operator.outputs)) if at in operands]
    if not results:
        return graph
    return replace_operator(graph, _picked(operator, sorted(operands), results))


def _depends_on(inner: Graph, keys: Iterable[int]) -> set[int]:
    """Positions of the inputs that tensors of a subgraph depend on."""
    needed, _ = _needed(inner, keys)
    return {at for at, key in enumerate(inner.inputs) if key in needed}


def _needed(inner: Graph, keys: Iterable[int]) -> tuple[set[int], tuple[Operator, ...]]:
    """The tensors and operators of a subgraph, which keeps no state, that some of its tensors depend on."""
    needed, kept = set(keys), []
    for operator in reversed(inner.operators):
        if needed.intersection(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return needed, tuple(reversed(kept))


def _picked(operator: Operator, operands: Sequence[int], results: Sequence[int]) -> Operator:
    """The operator with these operands and results in this order."""
    head = _first_operand(operator)

    def inner(subgraph: Graph, *, gives: bool) -> Graph:
        outputs = tuple(subgraph.outputs[at] for at in results) if gives else subgraph.outputs
        inputs = tuple(subgraph.inputs[at] for at in operands)
        return subgraph.evolve(inputs=inputs, outputs=outputs, operators=_needed(subgraph, outputs)[1])

    first, second = operator.subgraphs
    return replace(
        operator,
        inputs=(*operator.inputs[:head], *(operator.inputs[head + at] for at in operands)),
        outputs=tuple(operator.outputs[at] for at in results),
        subgraphs=(inner(first, gives=operator.name == "if"), inner(second, gives=True)),
    )


# -- what no body changes --------------------------------------------------------------------------------------------


def _with_read_only(graph: Graph, operator: Operator) -> Graph:
    """A loop whose unchanged operands come last and have no result: readers of it read the operand."""
    if operator.name == "if":
        return graph
    body = operator.subgraphs[1]
    unchanged = [
        at
        for at, (source, target) in enumerate(zip(operator.inputs, operator.outputs, strict=False))
        if body.outputs[at] == body.inputs[at]
        and target not in graph.outputs
        and not graph.tensors[source].is_variable
        and _same_kind(graph.tensors[source], graph.tensors[target])
    ]
    changed = [at for at in range(len(operator.outputs)) if at not in unchanged]
    if not unchanged or not changed:
        return graph
    last = [*unchanged, *range(len(operator.outputs), len(operator.inputs))]
    for at in unchanged:
        for reader in graph.consumers(operator.outputs[at]):
            current = next(op for op in graph.operators if op.index == reader.index)
            graph = replace_operator(graph, read_instead(current, operator.outputs[at], operator.inputs[at]))
    return replace_operator(graph, _picked(operator, [*changed, *last], changed))


def _same_kind(first: Tensor, second: Tensor) -> bool:
    """Whether the same bytes mean the same in both."""
    return (first.shape, first.dtype, first.quantization) == (second.shape, second.dtype, second.quantization)


# -- constants -------------------------------------------------------------------------------------------------------


def _with_constants(graph: Graph, operator: Operator) -> Graph:
    """The operator with constants in its subgraphs instead of operands that are constant and stay it.

    An operand stays one where an operator that reads it would not take a constant.
    """
    head = _first_operand(operator)
    changed = 0 if operator.name == "if" else len(operator.outputs)
    operands = operator.inputs[head:]
    known = {
        at: graph.tensors[key] for at, key in enumerate(operands) if at >= changed and graph.tensors[key].is_constant
    }
    while known and (spoilt := {at for inner in operator.subgraphs for at in _spoilt(inner, known)}):
        known = {at: tensor for at, tensor in known.items() if at not in spoilt}
    if not known:
        return graph
    filled = replace(operator, subgraphs=tuple(_filled(inner, known) for inner in operator.subgraphs))
    left = [at for at in range(len(operands)) if at not in known]
    return replace_operator(graph, _picked(filled, left, range(len(operator.outputs))))


def _spoilt(inner: Graph, known: Mapping[int, Tensor]) -> set[int]:
    """Positions of constants that do not fit, or that an operator would not take."""
    insides = {at: inner.tensors[inner.inputs[at]] for at in known}
    unfit = {
        at
        for at, tensor in known.items()
        if (insides[at].dtype, insides[at].elements) != (tensor.dtype, tensor.elements)
    }
    if unfit:
        return unfit
    filled = _filled(inner, known)
    refused = {
        key
        for operator in inner.operators
        if try_parse(filled, operator) is None and try_parse(inner, operator) is not None
        for key in operator.inputs
    }
    return {at for at, tensor in insides.items() if tensor.index in refused}


def _filled(inner: Graph, known: Mapping[int, Tensor]) -> Graph:
    tensors = dict(inner.tensors)
    for at, tensor in known.items():
        inside = inner.tensors[inner.inputs[at]]
        tensors[inside.index] = replace(inside, data=np.reshape(constant(tensor), inside.shape))
    return inner.evolve(tensors=tensors)
