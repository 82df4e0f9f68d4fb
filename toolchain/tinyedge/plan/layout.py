"""The blocks that one selection of kernels in one order asks of the arena, and where they lie in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyedge.plan.arena import WORK, Block, place_blocks
from tinyedge.plan.liveness import Memory, Step, aligned, find_overlaps, lifetimes, step_needs


@dataclass(frozen=True, eq=False)
class Layout:
    """First the storages, in their order, then scratch; `scratch_at` maps a step to the block of its scratch."""

    blocks: tuple[Block, ...]
    overlaps: Mapping[tuple[int, int], int]
    scratch_at: Mapping[int, int]


def make_layout(memory: Memory, steps: Sequence[Step], spans: Sequence[tuple[int, int]]) -> Layout:
    """Blocks and overlaps of `steps` in order of execution; `spans` are the lifetimes of the storages in that order."""
    blocks = [Block(s.bytes, *span) for s, span in zip(memory.storages, spans, strict=True)]
    scratch_at = {}
    for number, step in enumerate(steps):
        if step.scratch_bytes:
            scratch_at[number] = len(blocks)
            blocks.append(Block(step.scratch_bytes, number, number))
    overlaps = {(o.output, o.input): o.in_place for o in find_overlaps(memory, steps, spans)}
    return Layout(tuple(blocks), overlaps, scratch_at)


@dataclass(frozen=True, eq=False)
class Arena:
    """Blocks of a layout in place, but for variables.

    offsets            by block
    lower_bound_bytes  what the worst step needs
    """

    layout: Layout
    offsets: Mapping[int, int]
    bytes: int
    lower_bound_bytes: int


def lay_out(memory: Memory, steps: Sequence[Step], alignment: int, *, work: int = WORK) -> Arena:
    """The arena of `steps` in order of execution. `work` as in `place_blocks`."""
    order = range(len(steps))
    layout = make_layout(memory, steps, lifetimes(memory, order))
    variables = place_variables(memory, alignment)
    blocks = [at for at in range(len(layout.blocks)) if at not in variables]
    number_of = {at: number for number, at in enumerate(blocks)}
    overlaps = {(number_of[a], number_of[b]): in_place for (a, b), in_place in layout.overlaps.items()}
    # Variables are alive at every step.
    bound = max(step_needs(memory, steps, order, alignment)) - variables_bytes(memory, alignment)
    listed = [layout.blocks[at] for at in blocks]
    placement = place_blocks(listed, overlaps, alignment=alignment, lower_bound=bound, work=work)
    offsets = {at: placement.offsets[number] for at, number in number_of.items()}
    end = max(placement.bytes, readable_end(memory, steps, offsets))
    return Arena(layout, offsets, aligned(end, alignment), bound)


def place_variables(memory: Memory, alignment: int) -> dict[int, int]:
    """Storage of variables -> its offset in the state: one behind the other."""
    offsets, end = {}, 0
    for at, storage in enumerate(memory.storages):
        if storage.variable:
            offsets[at] = end
            end += aligned(storage.bytes, alignment)
    return offsets


def variables_bytes(memory: Memory, alignment: int) -> int:
    """What all variables take."""
    return sum(aligned(storage.bytes, alignment) for storage in memory.storages if storage.variable)


def state_bytes(memory: Memory, steps: Sequence[Step], alignment: int) -> int:
    """Bytes of the state: all variables, and what kernels read behind them."""
    end = readable_end(memory, steps, place_variables(memory, alignment))
    return aligned(max(end, variables_bytes(memory, alignment)), alignment)


def readable_end(memory: Memory, steps: Sequence[Step], offsets: Mapping[int, int]) -> int:
    """Where memory must end so that what kernels read behind their tensors is there; `offsets` of storages in it."""
    end = 0
    for step in steps:
        for tensor in (*step.layer.inputs, *step.layer.outputs) if step.reads_behind else ():
            at = memory.of_tensor.get(tensor.index, -1)
            if at in offsets:
                end = max(end, offsets[at] + tensor.bytes + step.reads_behind)
    return end
