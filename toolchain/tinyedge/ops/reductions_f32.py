"""mean, sum, reduce_max and reduce_min in float32: what the pass `compute_floats` makes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import axes
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec
from tinyedge.ops.elementwise_f32 import SUFFIX

NAMES = ("mean", "reduce_max", "reduce_min", "sum")


@dataclass(frozen=True)
class ReductionF32:
    """Parameters: `shape` of the input (rank as in the file), `axes` sorted and non-negative.

    function  TFLite's name in lower case. Values are taken in the order of memory, and rounded to float32 at every
              step; largest and smallest begin at the other end of float32.
    """

    function: str
    shape: tuple[int, ...]
    axes: tuple[int, ...]

    @property
    def divisor(self) -> int:
        """Of the sum."""
        return math.prod(self.shape[axis] for axis in self.axes) if self.function == "mean" else 1


def floats(graph: Graph, operator: Operator) -> bool:
    """Input and output are float32, in a model that is quantized otherwise."""
    return first_input(graph, operator).dtype is DType.FLOAT32 is first_output(graph, operator).dtype


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    resolved = axes.axes_of(graph, operator)
    assert resolved is not None
    params = ReductionF32(operator.name.removesuffix(SUFFIX), source.shape, resolved)
    return Layer(operator, params, (source,), (target,), macs=0)


def reference(params: ReductionF32, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = np.moveaxis(inputs[0].reshape(params.shape), params.axes, range(len(params.axes)))
    kept = values.shape[len(params.axes) :]
    values = values.reshape(-1, *kept)
    with np.errstate(all="ignore"):
        if params.function in ("mean", "sum"):
            return ((np.add.accumulate(values, axis=0)[-1] / np.float32(params.divisor)).astype(np.float32),)
        largest = params.function == "reduce_max"
        end = np.finfo(np.float32).max
        result = np.full(kept, -end if largest else end, np.float32)
        for value in values:
            result = np.where(value > result if largest else value < result, value, result)
    return (result,)


_CONSTRAINTS = (
    checks.arity(2, 2),
    checks.options("keep_dims"),
    checks.computed_input,
    floats,
    shapes.constant_axes,
    shapes.reduces_to_output,
)

SPECS = tuple(OperatorSpec(name + SUFFIX, _CONSTRAINTS, parse, reference) for name in NAMES)
