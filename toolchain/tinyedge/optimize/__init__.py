"""Lossless rewrites of a graph, one pass a file, run until nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tinyedge.errors import InternalError, TinyEdgeError
from tinyedge.graph.ir import Graph
from tinyedge.graph.verify import verify_part
from tinyedge.optimize.compute_floats import compute_floats
from tinyedge.optimize.dead_channels import dead_channels
from tinyedge.optimize.fold_constants import fold_constants, fold_integers
from tinyedge.optimize.fold_dilation import fold_dilation
from tinyedge.optimize.fold_islands import fold_islands
from tinyedge.optimize.fold_pad import fold_pad
from tinyedge.optimize.fold_shapes import fold_shapes
from tinyedge.optimize.merge_transposes import merge_transposes
from tinyedge.optimize.move_borders import move_borders
from tinyedge.optimize.one_channel_depthwise import one_channel_depthwise
from tinyedge.optimize.quiet_channels import quiet_channels
from tinyedge.optimize.remove_requantize_pairs import remove_requantize_pairs
from tinyedge.optimize.remove_reshapes import remove_reshapes
from tinyedge.optimize.remove_unused import remove_unused
from tinyedge.optimize.rewrite import Pass
from tinyedge.optimize.settle_control_flow import settle_control_flow
from tinyedge.optimize.slide_variables import slide_variables
from tinyedge.optimize.tabulate_pairs import tabulate_pairs
from tinyedge.optimize.transpose_flatten import transpose_flatten
from tinyedge.optimize.transpose_reduction import transpose_reduction

PASSES: tuple[Pass, ...] = (
    remove_unused,
    fold_constants,
    remove_requantize_pairs,
    merge_transposes,
    transpose_reduction,
    transpose_flatten,
    remove_reshapes,
    fold_pad,
    fold_dilation,
    one_channel_depthwise,
    dead_channels,
    quiet_channels,
    tabulate_pairs,
    slide_variables,
)
_ISLANDS: tuple[Pass, ...] = (move_borders, fold_islands, compute_floats)
SETTLING: tuple[Pass, ...] = (fold_shapes, remove_unused, settle_control_flow, fold_integers, *_ISLANDS)
"""once each, in front of the checks; then in what loops and branches run"""
ROUNDS = 50
"""every round removes an operator, a tensor or a channel, so even huge models end long before"""


def settle_graph(graph: Graph) -> Graph:
    """The graph as it is checked: without what no output needs, and with constants for what the file fixes.

    Operators of which only that is asked need no kernel, and rules see the constants that they ask for.

    Raises: InternalError when a pass breaks the graph
    """
    for rewrite in SETTLING:
        graph = _run_pass(rewrite, graph)
    return _within(graph, settle_graph)


def settle_islands(graph: Graph) -> Graph:
    """The graph with what is in float32 between integers made runnable, as far as that goes; the rest as in the file.

    Raises: InternalError when a pass breaks the graph
    """
    for rewrite in _ISLANDS:
        graph = _run_pass(rewrite, graph)
    return graph


def optimize_graph(graph: Graph) -> Graph:
    """Run all passes until none finds anything to do; the outputs of the model stay the same to the last bit.

    Raises: InternalError when a pass breaks the graph or does not come to rest
    """
    for _ in range(ROUNDS):
        before = graph
        for rewrite in PASSES:
            graph = _run_pass(rewrite, graph)
        if graph is before:
            return _within(graph, optimize_graph)
    raise InternalError(f"the passes over model `{graph.name}` did not come to rest in {ROUNDS} rounds")


def _within(graph: Graph, rewrite: Callable[[Graph], Graph]) -> Graph:
    """The graph with every subgraph that its operators run rewritten."""
    if not any(operator.subgraphs for operator in graph.operators):
        return graph
    return graph.evolve(
        operators=tuple(
            replace(op, subgraphs=tuple(map(rewrite, op.subgraphs))) if op.subgraphs else op for op in graph.operators
        )
    )


def _run_pass(rewrite: Pass, graph: Graph) -> Graph:
    result = rewrite(graph)
    if result is not graph:
        try:
            verify_part(result)
        except TinyEdgeError as error:
            raise InternalError(f"pass `{rewrite.__name__}` broke model `{graph.name}`: {error}") from error
    return result


__all__ = ["PASSES", "optimize_graph", "settle_graph", "settle_islands"]
