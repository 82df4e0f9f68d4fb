"""Which samples of a run left a network early, and what other thresholds would have done: worked out on the host, by
the references that the device's outputs were compared with."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import Observer, Samples
from tinyedge.artifacts.exits import ExitPoint, Exits, Way
from tinyedge.graph.access import constant
from tinyedge.graph.early_exit import EarlyExit, find_early_exit
from tinyedge.graph.ir import Graph
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import run_graph

Array = npt.NDArray[Any]
_LEADS = 256
"""different leads of one int8 logit over another"""


@dataclass(frozen=True, eq=False)
class Ways:
    """What both ways out answer to each sample.

    leads        [N], of the side head's largest logit over the second, in steps
    early, late  [N], the classes that the side head and the whole network say
    """

    leads: Array
    early: Array
    late: Array


def exits_of(graph: Graph, samples: Samples, counted: Sequence[int], done: int, observer: Observer) -> Exits | None:
    """What the exit of a network did for the first `done` samples; None for a network without one.

    graph    as in the file
    counted  instructions of each sample; empty where nothing counted them
    """
    found = find_early_exit(graph)
    if found is None or not done:
        return None
    with observer.progress("both ways out on the host") as report:
        ways = both_ways(graph, found, [array[:done] for array in samples.arrays], report)
    labels = None if samples.labels is None else np.asarray(samples.labels[:done]).reshape(-1)
    return sum_up(found.threshold, found.logits.scale, ways, labels, counted)


def both_ways(graph: Graph, found: EarlyExit, arrays: Sequence[Array], report: Any) -> Ways:
    """Every sample put through the part in front of the exit, and then through both branches."""
    front = graph.evolve(operators=tuple(op for op in graph.operators if op is not found.branch))
    layers = parse_graph(front)
    inner = [(branch, parse_graph(branch)) for branch in found.branch.subgraphs]
    leads, answers = [], []
    for at in range(len(arrays[0])):
        values = run_graph(front, [array[at] for array in arrays], layers)
        operands = [
            constant(tensor) if tensor.is_constant else values[tensor.index]
            for tensor in map(graph.tensor, found.branch.inputs[1:])
        ]
        answers.append([run_graph(branch, operands, parsed)[branch.outputs[0]].argmax() for branch, parsed in inner])
        ordered = np.sort(values[found.logits.index].reshape(-1).astype(np.int64))
        leads.append(ordered[-1] - ordered[-2])
        report(at + 1, len(arrays[0]))
    early, late = np.array(answers).T
    return Ways(np.array(leads), early, late)


def sum_up(threshold: int, scale: float, ways: Ways, labels: Array | None, counted: Sequence[int]) -> Exits:
    """The figures of a run. Where one way was not taken its instructions are unknown, and so are those of the curve."""
    leaves = ways.leads > threshold
    known = len(counted) == len(leaves)

    def way(chosen: Array, said: Array) -> Way:
        taken = [int(count) for count, is_in in zip(counted, chosen, strict=False) if is_in]
        right = None if labels is None or not chosen.any() else float((said == labels)[chosen].mean())
        return Way(int(chosen.sum()), right, statistics.median_low(taken) if known and taken else None)

    early, late = way(leaves, ways.early), way(~leaves, ways.late)

    def point(bound: int) -> ExitPoint:
        leaving = ways.leads > bound
        right = None if labels is None else float((np.where(leaving, ways.early, ways.late) == labels).mean())
        rate = float(leaving.mean())
        spent = None
        if early.instructions is not None and late.instructions is not None:
            spent = rate * early.instructions + (1 - rate) * late.instructions
        return ExitPoint(bound, rate, right, spent)

    points: list[ExitPoint] = []
    for bound in range(_LEADS):
        made = point(bound)
        if not points or made.rate != points[-1].rate or bound in (threshold, _LEADS - 1):
            points.append(made)
    return Exits(
        threshold,
        scale,
        early,
        late,
        statistics.fmean(counted) if known else None,
        max(counted) if known else None,
        tuple(points),
    )
