"""Offsets: never wrong, never below the bound, and optimal where all placements can be tried."""

from __future__ import annotations

import itertools
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyedge.kernels.contract import ExactOffset
from tinyedge.plan.arena import EXHAUSTIVE, Block, Placement, place_blocks

Overlaps = dict[tuple[int, int], int]


@st.composite
def problems(draw: st.DrawFn, most: int, largest: int = 40, *, exact: bool = False) -> tuple[list[Block], Overlaps]:
    """Blocks with random lifetimes, and in-place offsets, some exact with `exact`, for some that meet in one step."""
    blocks = []
    for _ in range(draw(st.integers(1, most))):
        first = draw(st.integers(0, 8))
        blocks.append(Block(draw(st.integers(0, largest)), first, first + draw(st.integers(0, 3))))
    overlaps = {}
    for (i, a), (j, b) in itertools.permutations(enumerate(blocks), 2):
        if a.first == b.last and a.last > b.last and b.first < a.first and draw(st.booleans()):
            in_place = draw(st.integers(0, 12))
            overlaps[i, j] = ExactOffset(in_place) if exact and draw(st.booleans()) else in_place
    return blocks, overlaps


def is_valid(blocks: list[Block], overlaps: Overlaps, placement: Placement, alignment: int) -> bool:
    """The rules, straight from their definition."""
    for offset, block in zip(placement.offsets, blocks, strict=True):
        if offset % alignment or offset < 0 or offset + block.bytes > placement.bytes:
            return False
    for i, j in itertools.combinations(range(len(blocks)), 2):
        a, b = blocks[i], blocks[j]
        at_a, at_b = placement.offsets[i], placement.offsets[j]
        if a.first > b.last or b.first > a.last or not a.bytes or not b.bytes:
            continue
        apart = at_a + a.bytes <= at_b or at_b + b.bytes <= at_a
        if not (apart or may_lie(overlaps.get((i, j)), at_b - at_a) or may_lie(overlaps.get((j, i)), at_a - at_b)):
            return False
    return True


def may_lie(in_place: int | None, below: int) -> bool:
    """Whether an output may start so far below an input."""
    if in_place is None:
        return False
    return below == in_place if isinstance(in_place, ExactOffset) else below >= in_place


def live_bytes(blocks: list[Block]) -> int:
    return max(sum(b.bytes for b in blocks if b.first <= step <= b.last) for step in range(12))


@given(problems(14, exact=True), st.sampled_from([1, 4, 8]))
@settings(max_examples=150, deadline=None)
def test_blocks_never_collide(problem: tuple[list[Block], Overlaps], alignment: int) -> None:
    blocks, overlaps = problem
    placement = place_blocks(blocks, overlaps, alignment=alignment, work=3000)
    assert is_valid(blocks, overlaps, placement, alignment)
    assert placement == place_blocks(blocks, overlaps, alignment=alignment, work=3000)


@given(problems(14))
@settings(max_examples=100, deadline=None)
def test_without_in_place_offsets_nothing_beats_the_live_bytes(problem: tuple[list[Block], Overlaps]) -> None:
    blocks, _ = problem
    assert place_blocks(blocks, {}, alignment=1, work=3000).bytes >= live_bytes(blocks)


@given(problems(4, largest=5))
@settings(max_examples=60, deadline=None)
def test_few_blocks_are_placed_optimally(problem: tuple[list[Block], Overlaps]) -> None:
    blocks, overlaps = problem
    found = place_blocks(blocks, overlaps, alignment=1).bytes
    limit = found - 1
    spans = [range(max(limit - block.bytes, -1) + 1) for block in blocks]
    smaller = any(is_valid(blocks, overlaps, Placement(at, limit), 1) for at in itertools.product(*spans))
    assert limit < 0 or not smaller


def test_a_chain_in_place_stays_in_place() -> None:
    blocks = [Block(100, max(step - 1, 0), step) for step in range(5)]
    overlaps = {(step + 1, step): 0 for step in range(4)}
    assert place_blocks(blocks, overlaps).bytes == 100
    assert place_blocks(blocks, {}).bytes == 200


def test_in_place_offsets_add_up_along_a_chain() -> None:
    blocks = [Block(1000, max(step - 1, 0), step) for step in range(4)]
    overlaps = {(step + 1, step): 16 for step in range(3)}
    placement = place_blocks(blocks, overlaps)
    assert placement.bytes == 1048
    assert placement.offsets == (48, 32, 16, 0)


def test_an_exact_offset_is_kept_or_the_blocks_are_apart() -> None:
    blocks = [Block(100, max(step - 1, 0), step) for step in range(5)]
    assert place_blocks(blocks, {(step + 1, step): ExactOffset(0) for step in range(4)}).bytes == 100
    assert place_blocks(blocks[:2], {(1, 0): ExactOffset(20)}).offsets == (20, 0)
    # At 20 below the third block the second would run into the first: it goes elsewhere, not further down.
    blocks = [Block(100, 0, 2), Block(40, 1, 2), Block(60, 0, 1)]
    assert place_blocks(blocks, {(1, 2): ExactOffset(20)}).bytes in (180, 200)
    assert place_blocks(blocks[1:], {(0, 1): ExactOffset(6)}).bytes == 100


def test_an_in_place_offset_larger_than_the_output_is_no_overlap() -> None:
    blocks = [Block(100, 0, 1), Block(20, 1, 2)]
    assert place_blocks(blocks, {(1, 0): 60}).bytes == 120


def test_greedy_by_size_is_beaten() -> None:
    """Three heights where largest-first fragments: the search reaches the live bytes all the same."""
    blocks = [Block(40, 0, 1), Block(60, 1, 2), Block(60, 2, 3), Block(40, 3, 4), Block(20, 0, 4)]
    blocks += [Block(30, 2, 2), Block(50, 4, 5), Block(70, 5, 6)]
    bound = live_bytes(blocks)
    assert place_blocks(blocks, {}, alignment=1, lower_bound=bound).bytes == bound


def test_only_the_local_search_reaches_the_bound() -> None:
    """Eight blocks, too many to try all sequences: the guesses leave 30 bytes that the search saves."""
    blocks = [Block(60, 2, 2), Block(10, 3, 4), Block(60, 0, 2), Block(50, 3, 5)]
    blocks += [Block(80, 5, 7), Block(30, 3, 5), Block(40, 3, 4), Block(40, 2, 3)]
    bound = live_bytes(blocks)
    assert len(blocks) > EXHAUSTIVE
    assert place_blocks(blocks, {}, alignment=1, lower_bound=bound, work=0).bytes == 200
    placement = place_blocks(blocks, {}, alignment=1, lower_bound=bound)
    assert placement.bytes == bound == 170
    assert is_valid(blocks, {}, placement, 1)


def test_a_long_branching_chain_is_fast() -> None:
    blocks: list[Block] = []
    overlaps: Overlaps = {}
    for step in range(60):
        blocks.append(Block(500 + 997 * step % 7000, max(step - 1, 0), step + step % 3))
        blocks.append(Block(100 + 331 * step % 900, step, step))
        if step:
            overlaps[2 * step, 2 * step - 2] = 64
    started = time.process_time()
    placement = place_blocks(blocks, overlaps)
    assert time.process_time() - started < 2  # 0.1 s alone on one core; shared machines are slower
    assert is_valid(blocks, overlaps, placement, 4)
