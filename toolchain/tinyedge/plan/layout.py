"""The blocks that one selection of kernels in one order asks of the arena."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyedge.plan.arena import Block
from tinyedge.plan.liveness import Memory, Step, find_overlaps


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
