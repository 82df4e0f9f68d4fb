"""Offsets in one arena: a placement of blocks with lifetimes, some of which may partly overlap.

For two blocks alive together either `b` starts at or above `a + above(a, b)`, or the other way round; the distance
is the size of the lower block, except where an output may run into a dying input: then it is that kernel's in-place
offset. Where that offset is exact, the two are apart or at that one distance.

Placing blocks one by one at the lowest free offset reaches the optimum for some sequence of blocks (the one sorted
by the offsets of an optimum; exact in-place offsets aside), so the search is over sequences: a handful of proven ones
first (largest first, latest first, ...), exhaustive for few blocks, then a local search that pulls the blocks at the
top forward. It stops at the lower bound or when its work, counted in comparisons and not in seconds, is used up: same
input, same arena.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinyedge.kernels.contract import ExactOffset

WORK = 300_000
"""comparisons of pairs of blocks, about 0.1 s"""
EXHAUSTIVE = 7
"""blocks up to which all sequences are tried"""


@dataclass(frozen=True)
class Block:
    """Memory that is alive from step `first` to step `last` inclusive."""

    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class Placement:
    """Offsets of the blocks, and the bytes of the arena."""

    offsets: tuple[int, ...]
    bytes: int


@dataclass(eq=False)
class _Problem:
    """Blocks in units of the alignment.

    near  `near[i]` lists (j, least distance of i above j, and of j above i, offset of i above j that is allowed too)
    """

    blocks: Sequence[Block]
    sizes: list[int]
    near: list[list[tuple[int, int, int, int | None]]]
    work: int


def place_blocks(
    blocks: Sequence[Block],
    overlaps: Mapping[tuple[int, int], int],
    *,
    alignment: int = 4,
    lower_bound: int = 0,
    work: int = WORK,
) -> Placement:
    """Find offsets, all multiples of `alignment`, for the smallest arena the search can reach.

    `overlaps` maps (output, input) to the in-place offset d in bytes (0 or more): output offset <= input offset - d
    is allowed, for an `ExactOffset` only output offset = input offset - d.
    The search ends early at `lower_bound` bytes. The arena is a multiple of the alignment.
    """
    if not blocks:
        return Placement((), 0)
    problem = _make_problem(blocks, overlaps, alignment, work)
    goal = -(-lower_bound // alignment)
    best: list[int] | None = None
    peak = sum(problem.sizes) + 1
    for sequence in _sequences(problem):
        offsets, top = _place(problem, sequence, peak)
        if top < peak:
            best, peak, start = offsets, top, sequence
        if peak <= goal:
            break
    assert best is not None
    if peak > goal and len(blocks) <= EXHAUSTIVE:
        best, peak = _exhaust(problem, best, peak, goal)
    elif peak > goal:
        best, peak = _improve(problem, start, best, peak, goal)
    return Placement(tuple(offset * alignment for offset in best), peak * alignment)


def quick_bytes(blocks: Sequence[Block], overlaps: Mapping[tuple[int, int], int], *, alignment: int = 4) -> int:
    """Bytes of the arena after the two quickest guesses alone: to compare selections of kernels, a millisecond each."""
    problem = _make_problem(blocks, overlaps, alignment, 0)
    guesses = itertools.islice(_sequences(problem), 2)
    return min(_place(problem, guess, sum(problem.sizes) + 1)[1] for guess in guesses) * alignment


def fits_by_guess(
    blocks: Sequence[Block], overlaps: Mapping[tuple[int, int], int], bytes_: int, *, alignment: int = 4
) -> bool:
    """Whether one of all guesses finds an arena of at most so many bytes."""
    problem = _make_problem(blocks, overlaps, alignment, 0)
    most = bytes_ // alignment
    return any(_place(problem, guess, most + 1)[1] <= most for guess in _sequences(problem))


def _make_problem(
    blocks: Sequence[Block], overlaps: Mapping[tuple[int, int], int], alignment: int, work: int
) -> _Problem:
    sizes = [-(-block.bytes // alignment) for block in blocks]
    near: list[list[tuple[int, int, int, int | None]]] = [[] for _ in blocks]

    def distance(low: int, high: int) -> int:
        in_place = overlaps.get((low, high))
        if in_place is None or isinstance(in_place, ExactOffset):
            return sizes[low]
        return min(sizes[low], -(-in_place // alignment))

    def meeting(low: int, high: int) -> int | None:
        """How far `low` starts below `high` where that is the only way to overlap."""
        in_place = overlaps.get((low, high))
        possible = (
            isinstance(in_place, ExactOffset) and in_place % alignment == 0 and in_place // alignment < sizes[low]
        )
        return in_place // alignment if in_place is not None and possible else None

    by_start = sorted(range(len(blocks)), key=lambda i: (blocks[i].first, i))
    alive: list[int] = []
    for j in by_start:
        alive = [i for i in alive if blocks[i].last >= blocks[j].first]
        if sizes[j]:
            for i in alive:
                below, above = meeting(i, j), meeting(j, i)
                i_over_j = above if below is None else -below
                near[i].append((j, distance(j, i), distance(i, j), i_over_j))
                near[j].append((i, distance(i, j), distance(j, i), None if i_over_j is None else -i_over_j))
            alive.append(j)
    return _Problem(blocks, sizes, near, work)


def _sequences(problem: _Problem) -> Iterator[list[int]]:
    """Sequences that are often good, best guesses first."""
    blocks, sizes = problem.blocks, problem.sizes
    load = [sizes[i] + sum(sizes[near[0]] for near in problem.near[i]) for i in range(len(blocks))]
    keys = [
        lambda i: (-sizes[i], -blocks[i].first),
        lambda i: (-blocks[i].first, -sizes[i]),
        lambda i: (-sizes[i], blocks[i].first),
        lambda i: (blocks[i].first, -sizes[i]),
        lambda i: (-load[i], -blocks[i].first),
        lambda i: (-load[i], blocks[i].first),
        lambda i: (blocks[i].first - blocks[i].last, -sizes[i]),
        lambda i: (-sizes[i] * (blocks[i].last - blocks[i].first + 1), -blocks[i].first),
    ]
    for key in keys:
        yield sorted(range(len(blocks)), key=key)


def _lowest(problem: _Problem, offsets: list[int], block: int) -> int:
    """The lowest offset for `block` beside the blocks placed already (offset -1: not placed)."""
    taken = []
    for other, above, below, meeting in problem.near[block]:
        at = offsets[other]
        if at < 0 or -below >= above:
            continue
        if meeting is None:
            taken.append((at - below, at + above))
        else:
            taken += [(at - below, at + meeting), (at + meeting, at + above)]
    problem.work -= len(problem.near[block]) + 1
    taken.sort()
    offset = 0
    for start, end in taken:  # open intervals: `start` and `end` themselves are free
        if start >= offset:
            break
        offset = max(offset, end)
    return offset


def _place(problem: _Problem, sequence: Sequence[int], limit: int) -> tuple[list[int], int]:
    """Offsets by lowest fit in `sequence`; given up once the top reaches `limit` (then the top is `limit`)."""
    offsets = [-1] * len(problem.blocks)
    top = 0
    for block in sequence:
        offset = _lowest(problem, offsets, block)
        offsets[block] = offset
        top = max(top, offset + problem.sizes[block])
        if top >= limit:
            return offsets, limit
    return offsets, top


def _exhaust(problem: _Problem, best: list[int], peak: int, goal: int) -> tuple[list[int], int]:
    """The best of all sequences, cut off where a beginning is no better than what is known."""
    offsets = [-1] * len(problem.blocks)

    def descend(left: frozenset[int], top: int) -> None:
        nonlocal best, peak
        if not left:
            best, peak = list(offsets), top
            return
        for block in sorted(left):
            if peak <= goal:
                return
            offset = _lowest(problem, offsets, block)
            height = max(top, offset + problem.sizes[block])
            if height < peak:
                offsets[block] = offset
                descend(left - {block}, height)
                offsets[block] = -1

    descend(frozenset(range(len(problem.blocks))), 0)
    return best, peak


def _improve(problem: _Problem, sequence: list[int], best: list[int], peak: int, goal: int) -> tuple[list[int], int]:
    """Local search: move a block that reaches the top, or one it rests on, to another place of the sequence."""
    chance = random.Random(0)
    current, offsets, top = sequence, best, peak
    while problem.work > 0 and peak > goal:
        culprits = [i for i, at in enumerate(offsets) if at + problem.sizes[i] == top]
        block = chance.choice(culprits)
        if chance.random() < 0.5 and problem.near[block]:
            block = chance.choice(problem.near[block])[0]
        trial = [i for i in current if i != block]
        trial.insert(chance.randrange(len(current)), block)
        placed, height = _place(problem, trial, top + 1)
        if height <= top:
            current, offsets, top = trial, placed, height
        if top < peak:
            best, peak = offsets, top
    return best, peak
