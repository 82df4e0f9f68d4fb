"""A kernel for each layer, by cost.

Every candidate that fits states cycles, flash bytes and scratch. What counts depends on `optimize`:

speed     fewest cycles; then flash bytes, then the peak of memory
size      fewest bytes, a byte of arena counting as `ARENA_WEIGHT` bytes of flash (chips have about that much more
          flash than RAM). Time counts a little: to halve it is worth `HALVING_WORTH` of the bytes
balanced  the lowest product of cycles, flash and arena: one percent of any of the three is worth one percent of any
          other. So the price of a byte of flash is (cycles of the model / flash of the model), of a byte of arena
          (cycles of the model / arena of the model), with `FIRMWARE_FLASH_BYTES` and `FIRMWARE_RAM_BYTES` added for
          what is there besides the model; without that a model of 300 weights would starve for a few bytes.

Code that layers share counts once, and scratch costs only where it raises the peak, so the choice is made for all
layers together: from several starting points, one kernel and one layer at a time, until nothing improves. There the
peak is what the worst step needs. Leads add up along a chain of layers, which no single step shows, so the result is
refined with arenas that are really laid out, though quickly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge import kernels
from tinyedge.artifacts import Optimize
from tinyedge.boards import Core
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Tensor
from tinyedge.kernels.contract import Cost, Kernel, cheapest_first
from tinyedge.ops.contract import Layer
from tinyedge.plan.arena import quick_bytes
from tinyedge.plan.layout import make_layout
from tinyedge.plan.liveness import Memory, Step, aligned, demands, lifetimes

ARENA_WEIGHT = 4
HALVING_WORTH = 0.002
"""enough to decide between kernels of nearly the same size; more would buy speed with kilobytes, as `balanced` does"""
FIRMWARE_FLASH_BYTES = 8192
FIRMWARE_RAM_BYTES = 4096
ROUNDS = 20
"""sweeps over all layers from one starting point; each improves or is the last"""
REFINEMENTS = 120
"""arenas laid out to refine a selection, about 1 ms each"""


@dataclass(frozen=True, eq=False)
class Choice:
    """A kernel that fits a layer, with what it costs and wants."""

    kernel: Kernel
    cost: Cost
    step: Step


@dataclass(frozen=True, eq=False)
class Menu:
    """What there is to choose from for one layer, cheapest first, and what was said of each kernel."""

    layer: Layer
    choices: tuple[Choice, ...]
    considered: tuple[tuple[str, str], ...]


def make_menu(layer: Layer, core: Core, candidates: Sequence[Kernel]) -> Menu:
    """Ask every candidate kernel whether it fits and what it costs.

    Raises: ModelError when none fits, with the reason of each
    """
    costs: list[tuple[Kernel, Cost]] = []
    refused: list[tuple[str, str]] = []
    for kernel in candidates:
        if reason := kernel.fits(layer, core):
            refused.append((kernel.name, reason))
        else:
            costs.append((kernel, kernel.cost(layer, core)))
    if not costs:
        raise ModelError(
            f"no kernel for core `{core.name}` runs operator {layer.index} (`{layer.name}`): {_shapes(layer)}"
            + "".join(f"\n       {name}: {reason}" for name, reason in refused),
            hint="`tinyedge boards` lists boards with other cores; or change the layer so that one of the reasons goes",
        )
    choices = []
    for kernel, cost in cheapest_first(costs):
        leads = tuple(kernel.lead_bytes(layer, core, position) for position in range(len(layer.inputs)))
        choices.append(Choice(kernel, cost, Step(layer, kernel.scratch_bytes(layer, core), leads)))
    said = [(choice.kernel.name, describe_cost(choice)) for choice in choices]
    return Menu(layer, tuple(choices), tuple(said + refused))


def candidates_for(layer: Layer, given: Sequence[Kernel] | None) -> Sequence[Kernel]:
    """The kernels that may run a layer: of those given, or of the registry."""
    if given is None:
        return kernels.candidates(layer)
    return [kernel for kernel in given if layer.name in kernel.operators]


def describe_cost(choice: Choice) -> str:
    """Cost in one line, as `build -v` prints it."""
    cost = choice.cost
    code = cost.code_bytes + sum(size for _, size in cost.shared_code)
    text = f"{cost.cycles:,} cycles, {code:,} B code, {cost.constant_bytes:,} B constants"
    return text + (f", {choice.step.scratch_bytes:,} B scratch" if choice.step.scratch_bytes else "")


def _shapes(layer: Layer) -> str:
    def text(tensors: Sequence[Tensor]) -> str:
        return ", ".join(f"{t.dtype.value} {list(t.shape)}" for t in tensors)

    return f"{text(layer.inputs)} -> {text(layer.outputs)}"


class _Totals:
    """Cycles, flash and peak of a whole selection (one index into each menu)."""

    def __init__(self, memory: Memory, menus: Sequence[Menu], order: Sequence[int]) -> None:
        self.menus, self.memory, self.order = menus, memory, order
        self.spans = lifetimes(memory, order)
        self.alignment = max(choice.kernel.alignment for menu in menus for choice in menu.choices)
        self.needs = _needs(memory, menus, order, self.alignment)

    def laid_out_bytes(self, picks: Sequence[int]) -> int:
        """The arena of a selection, laid out quickly."""
        steps = [self.menus[layer].choices[picks[layer]].step for layer in self.order]
        layout = make_layout(self.memory, steps, self.spans)
        return quick_bytes(layout.blocks, layout.overlaps, alignment=self.alignment)

    def figures(self, picks: Sequence[int]) -> tuple[int, int, int]:
        """Cycles, flash, and what the worst step needs of memory."""
        cycles = flash = arena = 0
        shared: dict[str, int] = {}
        for menu, needs, pick in zip(self.menus, self.needs, picks, strict=True):
            cost = menu.choices[pick].cost
            cycles += cost.cycles
            flash += cost.code_bytes + cost.constant_bytes
            shared.update(cost.shared_code)
            arena = max(arena, needs[pick])
        return cycles, flash + sum(shared.values()), arena

    def score(self, picks: Sequence[int], optimize: Optimize, *, laid_out: bool = False) -> tuple[float, ...]:
        """Lower is better; ends in the picks themselves, so that no two selections are equal."""
        cycles, flash, arena = self.figures(picks)
        if laid_out:
            arena = self.laid_out_bytes(picks)
        if optimize == "speed":
            return (cycles, flash, arena, *picks)
        if optimize == "size":
            size = math.log(flash + ARENA_WEIGHT * arena + 1) + HALVING_WORTH * math.log2(cycles + 1)
            return (round(size, 9), cycles, *picks)
        logs = math.log(cycles + 1) + math.log(flash + FIRMWARE_FLASH_BYTES) + math.log(arena + FIRMWARE_RAM_BYTES)
        return (round(logs, 9), cycles, flash, *picks)


def _needs(memory: Memory, menus: Sequence[Menu], order: Sequence[int], alignment: int) -> list[list[int]]:
    """For each layer and each of its choices the bytes that are needed while it runs."""
    widest = max(len(menu.choices) for menu in menus)
    needs: list[list[int]] = [[] for _ in menus]
    for rank in range(widest):
        steps = [menus[layer].choices[min(rank, len(menus[layer].choices) - 1)].step for layer in order]
        for step, need in enumerate(demands(memory, steps, order, alignment)):
            if rank < len(menus[order[step]].choices):
                needs[order[step]].append(aligned(need, alignment))
    return needs


def select_kernels(
    memory: Memory, menus: Sequence[Menu], order: Sequence[int], optimize: Optimize
) -> tuple[Choice, ...]:
    """The choice for each layer (in the order of `menus`) that is best for all of them together."""
    if not menus:
        return ()
    totals = _Totals(memory, menus, order)
    found = min(_descend(menus, totals, start, optimize) for start in _starts(menus, totals))
    picks = found[1] if optimize == "speed" else _refine(menus, totals, found[1], optimize)
    return tuple(menu.choices[pick] for menu, pick in zip(menus, picks, strict=True))


def _refine(menus: Sequence[Menu], totals: _Totals, picks: list[int], optimize: Optimize) -> list[int]:
    """Improve a selection by what really laid out arenas say, as long as `REFINEMENTS` last."""
    best, tried = totals.score(picks, optimize, laid_out=True), 1
    improved = True
    while improved:
        improved = False
        for trial in _neighbours(menus, totals, picks):
            changed = _changed(picks, trial)
            if changed == picks:
                continue
            if tried >= REFINEMENTS:
                return picks
            tried += 1
            score = totals.score(changed, optimize, laid_out=True)
            if score < best:
                best, picks, improved = score, changed, True
    return picks


def _changed(picks: Sequence[int], move: Sequence[int | None]) -> list[int]:
    return [old if new is None else new for old, new in zip(picks, move, strict=True)]


def _starts(menus: Sequence[Menu], totals: _Totals) -> list[list[int]]:
    """Per layer the fewest cycles; the fewest bytes of its own; the lowest need of memory."""
    own = [[choice.cost.code_bytes + choice.cost.constant_bytes for choice in menu.choices] for menu in menus]
    return [[0] * len(menus), [_least(bytes_) for bytes_ in own], [_least(needs) for needs in totals.needs]]


def _least(values: Sequence[int]) -> int:
    """Position of the first smallest value."""
    return min(range(len(values)), key=values.__getitem__)


def _descend(
    menus: Sequence[Menu], totals: _Totals, start: list[int], optimize: Optimize
) -> tuple[tuple[float, ...], list[int]]:
    """Change one layer, or move all layers to or from one kernel, while that improves the score."""
    best, picks = totals.score(start, optimize), start
    for _ in range(ROUNDS):
        before = best
        for trial in _neighbours(menus, totals, picks):
            changed = _changed(picks, trial)
            score = totals.score(changed, optimize)
            if score < best:
                best, picks = score, changed
        if best == before:
            break
    return best, picks


def _neighbours(menus: Sequence[Menu], totals: _Totals, picks: Sequence[int]) -> list[list[int | None]]:
    """Moves as new picks per layer (None: unchanged), those of whole kernels first.

    A kernel is taken by all layers that can, by those alone whose needs stay below the peak, or left by all.
    """
    moves: list[list[int | None]] = []
    names = sorted({choice.kernel.name for menu in menus for choice in menu.choices})
    peak = max(needs[pick] for needs, pick in zip(totals.needs, picks, strict=True))
    for name in names:
        towards: list[int | None] = []
        below: list[int | None] = []
        away: list[int | None] = []
        for menu, needs, pick in zip(menus, totals.needs, picks, strict=True):
            ranks = {choice.kernel.name: rank for rank, choice in enumerate(menu.choices)}
            others = [rank for other, rank in ranks.items() if other != name]
            rank = ranks.get(name)
            towards.append(rank)
            below.append(rank if rank is not None and needs[rank] <= peak else None)
            away.append(others[0] if rank == pick and others else None)
        moves += [towards, away] if below == towards else [towards, below, away]
    for at, menu in enumerate(menus):
        for pick in range(len(menu.choices)):
            move: list[int | None] = [None] * len(menus)
            move[at] = pick
            moves.append(move)
    return moves
