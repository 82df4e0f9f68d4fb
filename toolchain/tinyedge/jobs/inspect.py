"""`tinyedge inspect`: what a model holds, whether or not it can be built, and what becomes of it on a board."""

from __future__ import annotations

import inspect as introspection
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import numpy as np

from tinyedge.artifacts import Observer, Optimize
from tinyedge.artifacts.inspection import (
    BoardLayer,
    InspectedOperator,
    InspectedTensor,
    InspectedWeights,
    Inspection,
    PassEffect,
)
from tinyedge.boards import load_board
from tinyedge.cost.predict import predict
from tinyedge.cost.rates import has_rates
from tinyedge.errors import TinyEdgeError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.graph.stored import StoredGraph, StoredOperator, StoredTensor, read_stored
from tinyedge.jobs.check import model_as_it_is
from tinyedge.jobs.choices import PORTABLE_BOARD, Choices
from tinyedge.ops import check
from tinyedge.optimize import PASSES, ROUNDS, SETTLING
from tinyedge.optimize.rewrite import Pass
from tinyedge.plan import PlansOf, check_sizes

_CHANNEL_AXIS: Mapping[str, int] = {"conv_2d": 0, "fully_connected": 0, "depthwise_conv_2d": 3, "transpose_conv": 0}
"""of weights, by operator"""
_WEIGHTS_AT: Mapping[str, int] = dict.fromkeys(_CHANNEL_AXIS, 1)


def inspect(choices: Choices, observer: Observer, board_name: str | None = None) -> Inspection:
    """A model as it lies there, float ones too; others once they are converted.

    board_name  the board that layers are planned for and predicted on; None: none

    Raises: UsageError for a model or board that there is not; ModelError for a damaged file
    """
    model = model_as_it_is(choices.model, choices.build_dir, observer, choices.data, choices.conversion)
    stored = read_stored(model.tflite, model.name)
    graph = stored.graphs[0]
    problems: tuple[str, ...] = ()
    passes: tuple[PassEffect, ...] = ()
    layers: tuple[BoardLayer, ...] = ()
    try:
        original = read_model(model.tflite, model.name)
        check_sizes(original, load_board(PORTABLE_BOARD))
        settled, first = _watched(original, SETTLING, rounds=1)
        check(settled)
        optimized, second = _watched(settled, PASSES, rounds=ROUNDS)
        passes = (*first, *second)
        if board_name is not None:
            with observer.progress("plan"):
                layers = tuple(_layers(optimized, board_name, choices))
    except TinyEdgeError as error:
        problems = (str(error),)
    if board_name is not None:
        board_name = load_board(board_name).name
    return Inspection(
        model=model.name,
        digest=model.digest,
        file_bytes=len(model.tflite),
        tensors=tuple(map(_tensor, graph.tensors)),
        operators=tuple(_operators(graph)),
        inputs=graph.inputs,
        outputs=graph.outputs,
        further_graphs=len(stored.graphs) - 1,
        problems=problems,
        passes=passes,
        board=board_name or "",
        compiler=choices.compiler,
        layers=layers,
    )


# -- the file --------------------------------------------------------------------------------------------------------


def _tensor(tensor: StoredTensor) -> InspectedTensor:
    scales = tensor.scale
    return InspectedTensor(
        index=tensor.index,
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        bytes=tensor.bytes,
        scales=len(scales),
        smallest_scale=min(scales, default=None),
        largest_scale=max(scales, default=None),
        zero_point=tensor.zero_point[0] if tensor.zero_point else None,
    )


def _operators(graph: StoredGraph) -> Iterator[InspectedOperator]:
    """In the order of the file, with what is alive at each."""
    last_use: dict[int, int] = {}
    for operator in graph.operators:
        for key in (*operator.inputs, *operator.outputs):
            last_use[key] = operator.index
    last_use |= dict.fromkeys(graph.outputs, len(graph.operators))
    alive = set(graph.inputs) | {tensor.index for tensor in graph.tensors if tensor.is_variable}
    for operator in graph.operators:
        alive |= set(operator.outputs)
        computed = [graph.tensors[key] for key in alive if not graph.tensors[key].is_constant]
        yield InspectedOperator(
            index=operator.index,
            name=operator.name,
            activation=str(operator.options.get("fused_activation_function", "none")),
            inputs=operator.inputs,
            outputs=operator.outputs,
            macs=_macs(graph, operator),
            weights=_weights(graph, operator),
            alive_bytes=sum(tensor.bytes for tensor in computed),
        )
        alive = {key for key in alive if last_use.get(key, -1) > operator.index or graph.tensors[key].is_variable}


def _macs(graph: StoredGraph, operator: StoredOperator) -> int | None:
    """Multiplications of values with weights; 0 for operators that have none, None for those of others."""
    if operator.is_custom or any(-1 in tensor.shape for tensor in graph.results(operator)):
        return None
    weights = graph.operand(operator, _WEIGHTS_AT.get(operator.name, 1))
    results = graph.results(operator)
    if operator.name not in _CHANNEL_AXIS or weights is None or not results or not weights.shape:
        return 0
    each = results[0].elements
    if operator.name == "transpose_conv":
        source = graph.operand(operator, 2)
        return None if source is None else source.elements * weights.elements // max(weights.shape[3], 1)
    if operator.name == "depthwise_conv_2d":
        return each * math.prod(weights.shape[1:3])
    return each * weights.elements // max(weights.shape[0], 1)


def _weights(graph: StoredGraph, operator: StoredOperator) -> InspectedWeights | None:
    """All constants of an operator with two or more dimensions, which are its weights."""
    found = [t for t in graph.operands(operator) if t.values() is not None and len(t.shape) >= 2]
    if not found:
        return None
    values = [tensor.values() for tensor in found]
    zeros = sum(int(np.count_nonzero(v == _zero(t))) for t, v in zip(found, values, strict=True) if v is not None)
    distinct = len(np.unique(np.concatenate([v.reshape(-1) for v in values if v is not None])))
    channels, dead = _dead_channels(operator.name, found[0])
    stored = sum(tensor.stored.size for tensor in found if tensor.stored is not None)
    return InspectedWeights(sum(t.elements for t in found), stored, zeros, distinct, channels, dead)


def _zero(tensor: StoredTensor) -> int:
    return tensor.zero_point[0] if len(set(tensor.zero_point)) == 1 else 0


def _dead_channels(name: str, tensor: StoredTensor) -> tuple[int, int]:
    """(output channels, those of which every weight is zero); (0, 0) for other operators."""
    axis, values = _CHANNEL_AXIS.get(name), tensor.values()
    if axis is None or values is None or axis >= values.ndim:
        return 0, 0
    others = tuple(other for other in range(values.ndim) if other != axis)
    return values.shape[axis], int(np.count_nonzero(~(values != _zero(tensor)).any(axis=others)))


# -- passes ----------------------------------------------------------------------------------------------------------


def _watched(graph: Graph, passes: Sequence[Pass], rounds: int) -> tuple[Graph, tuple[PassEffect, ...]]:
    """The graph after the passes, run until nothing changes, and what each of them did in all rounds together."""
    gone: dict[str, Counter[str]] = {}
    saved: Counter[str] = Counter()
    about = {each.__name__: _first_sentence(each) for each in passes}
    for _ in range(rounds):
        before = graph
        for each in passes:
            changed = each(graph)
            if changed is not graph:
                was, now = _names(graph), _names(changed)
                gone.setdefault(each.__name__, Counter()).update(was)
                gone[each.__name__].subtract(now)
                saved[each.__name__] += _constant_bytes(changed) - _constant_bytes(graph)
            graph = changed
        if graph is before:
            break
    effects = [
        PassEffect(
            name,
            about[name],
            tuple(sorted((operator, count) for operator, count in counts.items() if count > 0)),
            tuple(sorted((operator, -count) for operator, count in counts.items() if count < 0)),
            saved[name],
        )
        for name, counts in gone.items()
    ]
    return graph, tuple(effects)


def _first_sentence(function: Pass) -> str:
    return (introspection.getdoc(function) or "").partition("\n")[0]


def _names(graph: Graph) -> Counter[str]:
    return Counter(operator.name for operator in graph.operators)


def _constant_bytes(graph: Graph) -> int:
    used = {key for operator in graph.operators for key in operator.inputs if key >= 0}
    return sum(graph.tensors[key].bytes for key in used if graph.tensors[key].is_constant)


# -- a board ---------------------------------------------------------------------------------------------------------


def _layers(graph: Graph, name: str, choices: Choices) -> Iterator[BoardLayer]:
    """What runs on a board, in order of execution."""
    board = load_board(name)
    optimize = cast(Optimize, choices.optimize or "balanced")
    plan = PlansOf(graph, board.core, keep_inputs=choices.keep_inputs, input_rows=choices.input_rows).plan(
        optimize, choices.max_ram_bytes
    )
    known = has_rates(board.core.name, choices.compiler)
    units = predict(plan, board, choices.compiler).units if known else ()
    for unit in units:
        for each in unit.layers:
            layer = plan.layers[each.step].layer
            yield BoardLayer(
                layer.index,
                layer.name,
                each.kernel,
                each.constant_bytes,
                each.instructions,
            )
        between = unit.instructions - sum(each.instructions for each in unit.layers)
        if len(unit.layers) > 1:
            first, last = (plan.layers[step].layer.index for step in (unit.first, unit.last))
            yield BoardLayer(None, f"between rows of {first}-{last}", unit.kernel, 0, max(between, 0))
