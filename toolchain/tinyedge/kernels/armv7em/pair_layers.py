"""Layers of two int8 operands: add, sub and mul, told in one way."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.graph.ir import Array
from tinyedge.kernels.armv7em.pair_rows import PairRows, constant_operand, pair_rows
from tinyedge.kernels.contract import Constant, Operands
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer


@dataclass(frozen=True, eq=False)
class PairLayer:
    """Its rows, and the data of operands that are constant, in the order of the file."""

    rows: PairRows
    constants: tuple[Array | None, Array | None]

    @property
    def constant_bytes(self) -> int:
        return sum(data.size for data in self.constants if data is not None)

    @property
    def constant_row(self) -> Array | None:
        """The values of the second operand, as the function takes it, where it is a constant of a value for each
        element of a row, the same for all rows; else None."""
        rows = self.rows
        _, data = rows.ordered(*self.constants)
        repeats = rows.rows == 1 or rows.y_step == -rows.count
        return data.reshape(-1) if data is not None and not rows.single and not rows.outer and repeats else None

    def pointers(self, operands: Operands) -> tuple[tuple[str, str], tuple[Constant, ...]]:
        """To the operands as the function takes them, and the constants among them."""
        computed = iter(operands.inputs)
        constants = tuple(constant_operand(operands, data) for data in self.constants if data is not None)
        names = [next(computed) if data is None else constants[0].name for data in self.constants]
        return self.rows.ordered(names[0], names[1]), constants


def pair_layer(layer: Layer) -> PairLayer:
    """Of an add, sub or mul whose tensors are int8."""
    p = layer.params
    if isinstance(p, Add):
        return PairLayer(pair_rows((p.shape1, p.shape2), p.output_shape), (None, p.constant2))
    first, second = p.broadcast.constants
    return PairLayer(pair_rows(p.broadcast.shapes, p.broadcast.output_shape), (first, second))


def in_place_offset(layer: Layer, input_index: int) -> int | None:
    """0 for an operand that has an element for each of the output's: it is read, in order, before the output is
    written. A broadcast one is read again."""
    return 0 if layer.inputs[input_index].elements == layer.outputs[0].elements else None
