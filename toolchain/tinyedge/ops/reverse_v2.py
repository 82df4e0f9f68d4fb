"""reverse_v2: some axes read from their ends."""

from __future__ import annotations

from tinyedge.arithmetic.axes import axes_of
from tinyedge.arithmetic.movement import View, make_copies, reference
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types, shapes
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer


def adjacent_axes(graph: Graph, operator: Operator) -> bool:
    """The axes lie next to each other, and each is named once."""
    axes = axes_of(graph, operator)
    assert axes is not None, "an earlier rule"
    named = graph.tensors[operator.inputs[1]].elements
    return len(axes) == named and axes == tuple(range(axes[0], axes[0] + named))


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    view = View.whole(source.shape)
    for axis in axes_of(graph, operator) or ():
        view = view.part(axis, source.shape[axis] - 1, source.shape[axis], -1)
    return movement_layer(operator, [source], [target], make_copies(0, 0, [(view, View.whole(target.shape))]))


SPECS = (
    OperatorSpec(
        name="reverse_v2",
        constraints=(
            checks.arity(2, 2),
            element_types(DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32, DType.BOOL),
            checks.same_shape,
            shapes.constant_axes,
            adjacent_axes,
        ),
        parse=parse,
        reference=reference,
    ),
)
