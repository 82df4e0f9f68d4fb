"""What an operator is to tinyedge: how it is parsed, what is refused, what it computes.

One file in this folder per operator (or per family with one arithmetic, e.g. the look-up operators). Its SPECS hold one
`OperatorSpec` for each TFLite name it serves, and are found by discovery; its tests stand in the file of tests/ops that
covers it. What operators share is in `arithmetic` and `checks`. Nothing here knows of kernels, boards or C.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tinyedge.arithmetic.movement import Copy, make_movement
from tinyedge.graph.ir import Array, Graph, Operator, Tensor


@dataclass(frozen=True, eq=False)
class Layer:
    """An operator with everything worked out: what kernels, the planner and the reports look at.

    `params` is the frozen dataclass of the operator's file: shapes, explicit padding, zero points, multipliers and
    shifts, activation range, and constant operands (weights, bias) as arrays. `inputs` are the tensors that exist in
    RAM at run time (constants that `params` swallowed are not among them), in the operator's order.
    """

    operator: Operator
    params: Any
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    macs: int

    @property
    def index(self) -> int:
        """The operator's position in the file."""
        return self.operator.index

    @property
    def name(self) -> str:
        """TFLite's name of the operator in lower case."""
        return self.operator.name


def make_layer(operator: Operator, params: Any, operands: Iterable[Tensor], outputs: Sequence[Tensor]) -> Layer:
    """A layer that multiplies no weights; what is computed among its operands are its inputs."""
    return Layer(operator, params, tuple(t for t in operands if not t.is_constant), tuple(outputs), macs=0)


def movement_layer(
    operator: Operator,
    operands: Sequence[Tensor],
    outputs: Sequence[Tensor],
    copies: Iterable[Copy],
    *,
    fill: int | None = None,
) -> Layer:
    """A layer of copies between operands and outputs; `fill` as in `Movement`."""
    return make_layer(operator, make_movement(operands, outputs, copies, fill=fill), operands, outputs)


Constraint = Callable[[Graph, Operator], bool]
"""A rule an operator must keep. Its docstring is the rule, the error message and the published table."""


@dataclass(frozen=True)
class OperatorSpec:
    """One operator.

    constraints  checked in order before `parse`; the first that fails refuses the model
    parse        (graph, operator) -> Layer
    reference    (params, inputs) -> outputs: numpy, equal to TensorFlow Lite Micro to the last bit. `inputs` and
                 outputs are arrays of the tensors' full shapes, batch dimension included, in the order of
                 `Layer.inputs` / `Layer.outputs` (`reference.run_layer` gives an output its tensor's shape, where
                 params do not know it). Vectorised: a 12 M MAC model takes about a second.
    """

    name: str
    constraints: tuple[Constraint, ...]
    parse: Callable[[Graph, Operator], Layer]
    reference: Callable[[Any, Sequence[Array]], tuple[Array, ...]]
