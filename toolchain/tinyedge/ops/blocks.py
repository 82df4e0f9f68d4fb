"""space_to_depth, depth_to_space, space_to_batch_nd, batch_to_space_nd: blocks of pixels moved to another axis."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from tinyedge.arithmetic.movement import Shape, View, make_copies, reference
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer

# -- depth -----------------------------------------------------------------------------------------------------------


def four_axes(graph: Graph, operator: Operator) -> bool:
    """Input and output have four dimensions (NHWC)."""
    return len(first_input(graph, operator).shape) == 4 and len(first_output(graph, operator).shape) == 4


def blocks_match(graph: Graph, operator: Operator) -> bool:
    """Blocks of block_size x block_size pixels divide the larger side and become as many channels of the other."""
    block = operator.options["block_size"]
    wide, deep = first_input(graph, operator).shape, first_output(graph, operator).shape
    if operator.name == "depth_to_space":
        wide, deep = deep, wide
    return bool(block >= 1 and wide == (deep[0], deep[1] * block, deep[2] * block, deep[3] // block // block)) and (
        deep[3] % (block * block) == 0
    )


def parse_depth(graph: Graph, operator: Operator) -> Layer:
    """Both sides in the order batch, row, row in block, column, (column in block, channel)."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    block = operator.options["block_size"]
    wide, deep = (source, target) if operator.name == "space_to_depth" else (target, source)
    in_wide = View.whole(wide.shape).divided(2, block).divided(1, block)
    in_deep = View.whole(deep.shape).divided(3, wide.shape[3]).divided(3, block).permuted((0, 1, 3, 2, 4, 5))
    pair = (in_wide, in_deep) if wide is source else (in_deep, in_wide)
    return movement_layer(operator, [source], [target], make_copies(0, 0, [pair]))


# -- batch -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Batch:
    """The geometry of both directions: `space` [B, H, W, C] with a border, `batch` [B * blocks, h, w, C]."""

    space: Shape
    batch: Shape
    blocks: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]

    def fits(self) -> bool:
        """Whether blocks divide the bordered space into what the batch has."""
        count = self.blocks[0] * self.blocks[1]
        if min(*self.blocks) < 1 or min(*self.before, *self.after) < 0 or self.space[3] != self.batch[3]:
            return False
        grown = [self.space[1 + axis] + self.before[axis] + self.after[axis] for axis in (0, 1)]
        return self.batch[0] == self.space[0] * count and all(
            size == small * block for size, small, block in zip(grown, self.batch[1:3], self.blocks, strict=True)
        )

    def pairs(self) -> list[tuple[View, View]]:
        """(view of the space, view of the batch) for every place in a block; what falls into the border is left out."""
        pairs = []
        whole = View.whole(self.batch)
        for place in itertools.product(range(self.blocks[0]), range(self.blocks[1])):
            number = place[0] * self.blocks[1] + place[1]
            batch = whole.part(0, number * self.space[0], self.space[0])
            space = View.whole(self.space)
            for axis in (0, 1):
                block, size = self.blocks[axis], self.space[1 + axis]
                shift = place[axis] - self.before[axis]
                first = max(0, -(shift // block))
                last = min(self.batch[1 + axis] - 1, (size - 1 - shift) // block)
                count = max(last - first + 1, 0)
                space = space.part(1 + axis, first * block + shift, count, block)
                batch = batch.part(1 + axis, first, count)
            pairs.append((space, batch))
        return pairs


def _with_width(shape: Shape) -> Shape:
    return shape if len(shape) == 4 else (shape[0], shape[1], 1, shape[2])


def _batch_of(graph: Graph, operator: Operator) -> _Batch:
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    blocks = [int(v) for v in constant(graph.tensors[operator.inputs[1]]).reshape(-1)]
    border = [int(v) for v in constant(graph.tensors[operator.inputs[2]]).reshape(-1)]
    if len(source) == 3:
        blocks, border = [*blocks, 1], [*border, 0, 0]
    space, batch = (source, target) if operator.name == "space_to_batch_nd" else (target, source)
    return _Batch(
        _with_width(space),
        _with_width(batch),
        (blocks[0], blocks[1]),
        (border[0], border[2]),
        (border[1], border[3]),
    )


def three_or_four_axes(graph: Graph, operator: Operator) -> bool:
    """Input and output have three (NHC) or four dimensions (NHWC), both the same number."""
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    return len(source) == len(target) and len(source) in (3, 4)


def constant_blocks(graph: Graph, operator: Operator) -> bool:
    """The shape of a block and the border (paddings or crops) are constants of int32, for each spatial dimension."""
    axes = len(first_input(graph, operator).shape) - 2
    wanted = (axes, 2 * axes)
    for position, elements in enumerate(wanted, 1):
        tensor = input_tensor(graph, operator, position)
        if tensor is None or not tensor.is_constant or tensor.dtype is not DType.INT32 or tensor.elements != elements:
            return False
    return True


def batches_match(graph: Graph, operator: Operator) -> bool:
    """Blocks divide the space with its border, and each place in a block is one batch of the other side."""
    return _batch_of(graph, operator).fits()


def parse_batch(graph: Graph, operator: Operator) -> Layer:
    """A border holds bytes of 0, whatever the zero point is, as TensorFlow Lite Micro leaves it."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    geometry = _batch_of(graph, operator)
    pairs = geometry.pairs()
    if operator.name == "batch_to_space_nd":
        return movement_layer(operator, [source], [target], make_copies(0, 0, [(b, s) for s, b in pairs]))
    fill = 0 if any((*geometry.before, *geometry.after)) else None
    return movement_layer(operator, [source], [target], make_copies(0, 0, pairs), fill=fill)


def _depth_spec(name: str) -> OperatorSpec:
    rules = (checks.arity(1, 1), checks.options("block_size"), element_types(DType.INT8), four_axes, blocks_match)
    return OperatorSpec(name, rules, parse_depth, reference)


def _batch_spec(name: str) -> OperatorSpec:
    rules = (checks.arity(3, 3), element_types(DType.INT8), three_or_four_axes, constant_blocks, batches_match)
    return OperatorSpec(name, rules, parse_batch, reference)


SPECS = (
    _depth_spec("space_to_depth"),
    _depth_spec("depth_to_space"),
    _batch_spec("space_to_batch_nd"),
    _batch_spec("batch_to_space_nd"),
)
