"""Which of the covers of a graph by layers and groups becomes the plan: by score, or the fastest in so many bytes."""

from __future__ import annotations

from collections.abc import Sequence

from tinyedge.artifacts import Optimize, RamPoint
from tinyedge.errors import FitError
from tinyedge.plan.groups import Cover, Groups
from tinyedge.plan.select import (
    ARENA_WEIGHT,
    FIRMWARE_FLASH_BYTES,
    HALVING_WORTH,
    Candidate,
    flash_of,
    rate_selection,
    select_kernels,
)
from tinyedge.plan.stream_kernel import StreamKernel

REFINED = 2
"""covers whose kernels are chosen anew, all together"""
SLOWER, LARGER = 8, 20
"""`balanced` gives at most these parts of its time and its flash, an eighth and a twentieth, for less memory"""
_TRIES = 12
"""arenas laid out for one budget, each for a cover that needs less"""


def choose_cover(groups: Groups, plain: Cover | None, optimize: Optimize) -> Cover | None:
    """The best cover by the score of `optimize`; None where none with a group beats the layers by themselves.

    plain  the kernels chosen for single layers, in order of execution; None where they cannot run by themselves
    """
    start = plain if plain is not None else groups.cheapest(groups.budgets[-1])
    assert start is not None
    if plain is None and optimize == "speed":
        return start
    best = rate_selection(groups.candidates_in(start), groups.arena_bytes(start), optimize)
    price = _flash_price(groups.candidates_in(start), optimize, groups.arena_bytes(start))
    winner = None if plain is not None else start
    for cover in _best_rated(groups, price, plain, optimize):
        candidates = groups.candidates_of(cover)
        picked = select_kernels(groups.memory_of(cover), candidates, range(len(candidates)), optimize)
        refined = groups.cover_of(picked)
        for each in (cover, refined):
            score = rate_selection([option.candidate for option in each], groups.arena_bytes(each), optimize)
            if score[0] < best[0] and _pays(groups, each, plain, optimize) and _is_slim(groups, each, plain, optimize):
                best, winner = score, each
    return winner


def _best_rated(groups: Groups, price: float, plain: Cover | None, optimize: Optimize) -> list[Cover]:
    """The best covers that pay, `REFINED` of them: others are laid out only while what their steps need leaves hope."""
    covers = dict.fromkeys(groups.cheapest(budget, price) for budget in groups.budgets)
    hopes = [
        (rate_selection(groups.candidates_in(cover), groups.least_bytes(cover), optimize), number, cover)
        for number, cover in enumerate(covers)
        if cover is not None and _has_group(cover)
    ]
    rated: list[tuple[tuple[float, ...], int, Cover]] = []
    for hope, number, cover in sorted(hopes):
        if len(rated) == REFINED and hope > rated[-1][0]:
            break
        if _pays(groups, cover, plain, optimize):
            score = rate_selection(groups.candidates_in(cover), groups.arena_bytes(cover), optimize)
            rated = sorted([*rated, (score, number, cover)])[:REFINED]
    return [cover for _, _, cover in rated]


def _pays(groups: Groups, cover: Cover, plain: Cover | None, optimize: Optimize) -> bool:
    """Whether a cover buys memory at a fair price.

    `balanced` gives at most an eighth of its time for it, `size` a byte of flash for a byte of RAM.
    """
    if plain is None:
        return True
    if optimize == "size":
        flash, then = flash_of(groups.candidates_in(cover)), flash_of(groups.candidates_in(plain))
        then += groups.arena_bytes(plain)
        return flash + groups.least_bytes(cover) <= then and flash + groups.arena_bytes(cover) <= then
    now, then = (sum(option.cycles for option in each) for each in (cover, plain))
    return now <= then * (1 + 1 / SLOWER)


def _is_slim(groups: Groups, cover: Cover, plain: Cover | None, optimize: Optimize) -> bool:
    """Whether `balanced` gives at most a twentieth of its flash.

    Code that runs anew for each row is read anew from flash, which a chip with a small cache waits for.
    """
    if plain is None or optimize == "size":
        return True
    now, then = (flash_of(groups.candidates_in(each)) + FIRMWARE_FLASH_BYTES for each in (cover, plain))
    return now <= then * (1 + 1 / LARGER)


def _has_group(cover: Cover) -> bool:
    return any(option.last > option.first for option in cover)


def _flash_price(chosen: Sequence[Candidate], optimize: Optimize, arena_bytes: int) -> float:
    """Cycles that a byte of flash is worth, near a selection."""
    cycles = sum(candidate.cost.cycles for candidate in chosen)
    flash = sum(candidate.cost.code_bytes + candidate.cost.constant_bytes for candidate in chosen)
    if optimize == "size":
        return cycles / (HALVING_WORTH * (flash + ARENA_WEIGHT * arena_bytes + 1))
    return cycles / (flash + FIRMWARE_FLASH_BYTES)


def fastest_cover(groups: Groups, max_bytes: int) -> Cover:
    """The cover of the fewest cycles whose arena and state have at most so many bytes.

    Raises: FitError with the least bytes that some cover takes
    """
    most = max_bytes - groups.state_bytes
    budget = most
    for _ in range(_TRIES):
        cover = groups.cheapest(budget)
        if cover is None:
            break
        if groups.arena_bytes(cover) <= most:
            return cover
        budget = max(option.need_bytes for option in cover) - 1
    least = min((groups.arena_bytes(cover) for cover in _small_covers(groups)), default=0) + groups.state_bytes
    if least <= max_bytes:
        return min(_small_covers(groups), key=groups.arena_bytes)
    raise FitError(
        f"model `{groups.graph.name}` cannot run in {max_bytes:,} B of RAM: arena and state take {least:,} B at least "
        f"({least - max_bytes:,} B more)",
        hint=f"`--max-ram {least}` is the least; `tinyedge plan --ram-curve` shows what more RAM is worth",
    )


def _small_covers(groups: Groups) -> list[Cover]:
    """Covers near the least that steps need: in-place offsets may make the second one the smaller."""
    found = [groups.cheapest(budget) for budget in groups.budgets[:_TRIES]]
    return [cover for cover in found if cover is not None]


def ram_curve(groups: Groups) -> tuple[RamPoint, ...]:
    """Covers of which each takes less RAM than any faster one, the smallest first."""
    covers = dict.fromkeys(cover for budget in groups.budgets if (cover := groups.cheapest(budget)) is not None)
    kept: list[RamPoint] = []
    for point in sorted((_point(groups, cover) for cover in covers), key=lambda p: (p.arena_bytes, p.cycles)):
        if not kept or point.cycles < kept[-1].cycles:
            kept.append(point)
    return tuple(kept)


def _point(groups: Groups, cover: Cover) -> RamPoint:
    costs = [option.candidate.cost for option in cover]
    shared = {name: size for cost in costs for name, size in cost.shared_code}
    streams = [kernel.stream for option in cover if isinstance(kernel := option.candidate.kernel, StreamKernel)]
    return RamPoint(
        groups.arena_bytes(cover) + groups.state_bytes,
        sum(cost.cycles for cost in costs),
        sum(cost.code_bytes + cost.constant_bytes for cost in costs) + sum(shared.values()),
        tuple((stream.layers[0].index, stream.layers[-1].index, len(stream.calls)) for stream in streams),
    )
