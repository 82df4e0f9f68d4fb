"""A kernel for each layer, by cost.

Every candidate that fits states cycles, flash bytes and scratch. What counts depends on `optimize`:

speed     fewest cycles; then flash bytes, then the peak of memory
size      fewest bytes, a byte of arena counting as `ARENA_WEIGHT` bytes of flash (chips have about that much more
          flash than RAM). Time counts a little: to halve it is worth `HALVING_WORTH` of the bytes
balanced  the lowest product of cycles, flash and arena: one percent of any of the three is worth one percent of any
          other. So the price of a byte of flash is (cycles of the model / flash of the model), of a byte of arena
          (cycles of the model / arena of the model), with `FIRMWARE_FLASH_BYTES` and `FIRMWARE_RAM_BYTES` added for
          what is there besides the model; without that a model of 300 weights would starve for a few bytes.

Code that layers share counts once, and scratch costs only where it raises the peak, so kernels are chosen for all
layers together: from several starting points, one kernel and one layer at a time, until nothing improves. There the
peak is what the worst step needs. In-place offsets add up along a chain of layers, which no single step shows, so the
result is refined with arenas that are really laid out, though quickly.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tinyedge import kernels
from tinyedge.artifacts import Optimize
from tinyedge.boards import Core
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Tensor
from tinyedge.kernels.batches import each_image, image_count
from tinyedge.kernels.contract import Cost, Kernel, cheapest_first
from tinyedge.ops.contract import Layer
from tinyedge.plan.arena import fits_by_guess, quick_bytes
from tinyedge.plan.layout import Layout, make_layout
from tinyedge.plan.liveness import Memory, Step, aligned, lifetimes, step_needs

ARENA_WEIGHT = 4
HALVING_WORTH = 0.002
"""enough to decide between kernels of nearly the same size; more would buy speed with kilobytes, as `balanced` does"""
FIRMWARE_FLASH_BYTES = 8192
FIRMWARE_RAM_BYTES = 4096
ROUNDS = 20
"""sweeps over all layers from one starting point; each improves or is the last"""
REFINEMENTS = 120
"""selections looked at to refine one; an arena is laid out for those that may be better, about 1 ms each"""
REFINED_PAIRS = 2_700_000
"""pairs of layers in all of them together: above 150 layers fewer arenas are tried"""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A kernel that fits a layer, with what it costs and wants."""

    kernel: Kernel
    cost: Cost
    step: Step


@dataclass(frozen=True, eq=False)
class LayerCandidates:
    """What there is to choose from for one layer, cheapest first, and what was said of each kernel."""

    layer: Layer
    candidates: tuple[Candidate, ...]
    considered: tuple[tuple[str, str], ...]


def find_candidates(layer: Layer, core: Core, serving: Sequence[Kernel]) -> LayerCandidates:
    """Ask every kernel that serves the operator whether it fits and what it costs.

    Raises: ModelError when none fits, with the reason of each
    """
    costs: list[tuple[Kernel, Cost]] = []
    refused: list[tuple[str, str]] = []
    for kernel in serving:
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
    fitting = []
    for kernel, cost in cheapest_first(costs):
        in_place_offsets = tuple(kernel.in_place_offset(layer, core, position) for position in range(len(layer.inputs)))
        scratch, behind = kernel.scratch_bytes(layer, core), kernel.reads_behind(layer, core)
        fitting.append(Candidate(kernel, cost, Step(layer, scratch, in_place_offsets, behind)))
    said = [(candidate.kernel.name, describe_cost(candidate)) for candidate in fitting]
    return LayerCandidates(layer, tuple(fitting), tuple(said + refused))


def serving_kernels(layer: Layer, given: Sequence[Kernel] | None) -> Sequence[Kernel]:
    """The kernels that may run a layer: of those given, or of the registry; for a batch, image by image."""
    found = kernels.candidates(layer) if given is None else [k for k in given if layer.name in k.operators]
    return [each_image(kernel) for kernel in found] if image_count(layer) > 1 else found


def describe_cost(candidate: Candidate) -> str:
    """Cost in one line, as `build -v` prints it."""
    cost = candidate.cost
    code = cost.code_bytes + sum(size for _, size in cost.shared_code)
    text = f"{cost.cycles:,} cycles, {code:,} B code, {cost.constant_bytes:,} B constants"
    return text + (f", {candidate.step.scratch_bytes:,} B scratch" if candidate.step.scratch_bytes else "")


def _shapes(layer: Layer) -> str:
    def text(tensors: Sequence[Tensor]) -> str:
        return ", ".join(f"{t.dtype.value} {list(t.shape)}" for t in tensors)

    return f"{text(layer.inputs)} -> {text(layer.outputs)}"


class _Totals:
    """Cycles, flash and peak of a whole selection (the position of one candidate for each layer)."""

    def __init__(self, memory: Memory, layers: Sequence[LayerCandidates], order: Sequence[int]) -> None:
        self.layers, self.memory, self.order = layers, memory, order
        self.spans = lifetimes(memory, order)
        self.alignment = max(candidate.kernel.alignment for layer in layers for candidate in layer.candidates)
        self.needs = _needs(memory, layers, order, self.alignment)
        self.asks = [_asks(layer.candidates) for layer in layers]
        self.arenas: dict[tuple[int, ...], int] = {}
        self.shared_bytes = {
            name: size for layer in layers for each in layer.candidates for name, size in each.cost.shared_code
        }

    def _layout(self, picks: Sequence[int]) -> Layout:
        steps = [self.layers[layer].candidates[picks[layer]].step for layer in self.order]
        return make_layout(self.memory, steps, self.spans)

    def laid_out_bytes(self, picks: Sequence[int]) -> int:
        """The arena of a selection, laid out quickly; remembered for all selections that ask the same of memory."""
        key = tuple(asks[pick] for asks, pick in zip(self.asks, picks, strict=True))
        if key not in self.arenas:
            layout = self._layout(picks)
            self.arenas[key] = quick_bytes(layout.blocks, layout.overlaps, alignment=self.alignment)
        return self.arenas[key]

    def is_tight(self, picks: Sequence[int]) -> bool:
        """Whether the arena of a selection is seen to be no larger than what the worst step needs."""
        layout = self._layout(picks)
        _, _, needed = self.figures(picks)
        return fits_by_guess(layout.blocks, layout.overlaps, needed, alignment=self.alignment)

    def figures(self, picks: Sequence[int]) -> tuple[int, int, int]:
        """Cycles, flash, and what the worst step needs of memory."""
        cycles = flash = arena = 0
        shared: dict[str, int] = {}
        for layer, needs, pick in zip(self.layers, self.needs, picks, strict=True):
            cost = layer.candidates[pick].cost
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
        return self.rate(picks, optimize, cycles, flash, arena)

    @staticmethod
    def rate(picks: Sequence[int], optimize: Optimize, cycles: int, flash: int, arena: int) -> tuple[float, ...]:
        if optimize == "speed":
            return (cycles, flash, arena, *picks)
        if optimize == "size":
            size = math.log(flash + ARENA_WEIGHT * arena + 1) + HALVING_WORTH * math.log2(cycles + 1)
            return (round(size, 9), cycles, *picks)
        logs = math.log(cycles + 1) + math.log(flash + FIRMWARE_FLASH_BYTES) + math.log(arena + FIRMWARE_RAM_BYTES)
        return (round(logs, 9), cycles, flash, *picks)


def _asks(candidates: Sequence[Candidate]) -> list[int]:
    """For each candidate a number, the same for those that ask the same of memory."""
    keys = [
        (each.step.scratch_bytes, tuple((type(offset), offset) for offset in each.step.in_place_offsets))
        for each in candidates
    ]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return [numbers[key] for key in keys]


class _Selection:
    """A selection whose figures after a move of one layer are known without another look at all the others."""

    def __init__(self, totals: _Totals, picks: list[int]) -> None:
        self.totals, self.picks = totals, picks
        self.cycles = self.own = 0
        self.shared: Counter[str] = Counter()
        for layer, pick in zip(totals.layers, picks, strict=True):
            cost = layer.candidates[pick].cost
            self.cycles += cost.cycles
            self.own += cost.code_bytes + cost.constant_bytes
            self.shared.update(name for name, _ in cost.shared_code)
        needs = [needs[pick] for needs, pick in zip(totals.needs, picks, strict=True)]
        self.before = [0, *accumulate(needs, max)]
        self.after = [0, *accumulate(reversed(needs), max)][::-1]

    def better(self, at: int, pick: int, optimize: Optimize, best: tuple[float, ...]) -> tuple[float, ...] | None:
        """The score with candidate `pick` for the layer `at`; None when it is not below `best`."""
        old = self.totals.layers[at].candidates[self.picks[at]].cost
        new = self.totals.layers[at].candidates[pick].cost
        cycles = self.cycles - old.cycles + new.cycles
        own = self.own - old.code_bytes - old.constant_bytes + new.code_bytes + new.constant_bytes
        self.shared.subtract(name for name, _ in old.shared_code)
        self.shared.update(name for name, _ in new.shared_code)
        shared = sum(self.totals.shared_bytes[name] for name, uses in self.shared.items() if uses)
        self.shared.subtract(name for name, _ in new.shared_code)
        self.shared.update(name for name, _ in old.shared_code)
        arena = max(self.before[at], self.after[at + 1], self.totals.needs[at][pick])
        figures = self.totals.rate((), optimize, cycles, own + shared, arena)
        if figures > best[: len(figures)]:
            return None
        score = (*figures, *self.picks[:at], pick, *self.picks[at + 1 :])
        return score if score < best else None


def _needs(memory: Memory, layers: Sequence[LayerCandidates], order: Sequence[int], alignment: int) -> list[list[int]]:
    """For each layer and each of its candidates the bytes that are needed while it runs."""
    widest = max(len(layer.candidates) for layer in layers)
    needs: list[list[int]] = [[] for _ in layers]
    for rank in range(widest):
        steps = [layers[layer].candidates[min(rank, len(layers[layer].candidates) - 1)].step for layer in order]
        for step, need in enumerate(step_needs(memory, steps, order, alignment)):
            if rank < len(layers[order[step]].candidates):
                needs[order[step]].append(aligned(need, alignment))
    return needs


def select_kernels(
    memory: Memory, layers: Sequence[LayerCandidates], order: Sequence[int], optimize: Optimize
) -> tuple[Candidate, ...]:
    """The candidate for each layer (in the order of `layers`) that is best for all of them together."""
    if not layers:
        return ()
    totals = _Totals(memory, layers, order)
    found = min(_descend(layers, totals, start, optimize) for start in _starts(layers, totals))
    picks = found[1] if optimize == "speed" else _refine(layers, totals, found[1], optimize)
    return tuple(layer.candidates[pick] for layer, pick in zip(layers, picks, strict=True))


def flash_of(chosen: Sequence[Candidate]) -> int:
    """Bytes of code and constants; code that layers share counts once."""
    shared = {name: size for candidate in chosen for name, size in candidate.cost.shared_code}
    own = sum(candidate.cost.code_bytes + candidate.cost.constant_bytes for candidate in chosen)
    return own + sum(shared.values())


def rate_selection(chosen: Sequence[Candidate], arena_bytes: int, optimize: Optimize) -> tuple[float, ...]:
    """What a selection is rated by, lower is better, given its arena: to compare selections for different groups."""
    cycles = sum(candidate.cost.cycles for candidate in chosen)
    return _Totals.rate((), optimize, cycles, flash_of(chosen), arena_bytes)


def _refine(layers: Sequence[LayerCandidates], totals: _Totals, picks: list[int], optimize: Optimize) -> list[int]:
    """Improve a selection by what really laid out arenas say, as long as `REFINEMENTS` last.

    One whose arena is as small as its worst step allows was rated by that already: no layout says more.
    """
    if totals.is_tight(picks):
        return picks
    most = min(REFINEMENTS, REFINED_PAIRS // len(layers) ** 2)
    best, tried = totals.score(picks, optimize, laid_out=True), 1
    improved = True
    while improved:
        improved = False
        for trial in _neighbours(layers, totals, picks):
            changed = _changed(picks, trial)
            if changed == picks:
                continue
            if tried >= most:
                return picks
            tried += 1
            cycles, flash, needed = totals.figures(changed)
            if totals.rate(changed, optimize, cycles, flash, needed) >= best:
                continue  # no arena is smaller than what its worst step needs
            score = totals.rate(changed, optimize, cycles, flash, totals.laid_out_bytes(changed))
            if score < best:
                best, picks, improved = score, changed, True
    return picks


def _changed(picks: Sequence[int], move: Sequence[int | None]) -> list[int]:
    return [old if new is None else new for old, new in zip(picks, move, strict=True)]


def _starts(layers: Sequence[LayerCandidates], totals: _Totals) -> list[list[int]]:
    """Per layer the fewest cycles; the fewest bytes of its own; the lowest need of memory."""
    own = [
        [candidate.cost.code_bytes + candidate.cost.constant_bytes for candidate in layer.candidates]
        for layer in layers
    ]
    return [[0] * len(layers), [_least(bytes_) for bytes_ in own], [_least(needs) for needs in totals.needs]]


def _least(values: Sequence[int]) -> int:
    """Position of the first smallest value."""
    return min(range(len(values)), key=values.__getitem__)


def _descend(
    layers: Sequence[LayerCandidates], totals: _Totals, start: list[int], optimize: Optimize
) -> tuple[tuple[float, ...], list[int]]:
    """Change one layer, or move all layers to or from one kernel, while that improves the score."""
    best, picks = totals.score(start, optimize), start
    for _ in range(ROUNDS):
        before = best
        for trial in _kernel_moves(layers, totals, picks):
            changed = _changed(picks, trial)
            score = totals.score(changed, optimize)
            if score < best:
                best, picks = score, changed
        selection = _Selection(totals, picks)
        for at, layer in enumerate(layers):
            for pick in range(len(layer.candidates)):
                if pick != picks[at] and (better := selection.better(at, pick, optimize, best)):
                    best, picks = better, [*picks[:at], pick, *picks[at + 1 :]]
                    selection = _Selection(totals, picks)
        if best == before:
            break
    return best, picks


def _neighbours(layers: Sequence[LayerCandidates], totals: _Totals, picks: Sequence[int]) -> Iterator[list[int | None]]:
    """Moves as new picks per layer (None: unchanged), those of whole kernels first."""
    yield from _kernel_moves(layers, totals, picks)
    for at, layer in enumerate(layers):
        for pick in range(len(layer.candidates)):
            move: list[int | None] = [None] * len(layers)
            move[at] = pick
            yield move


def _kernel_moves(layers: Sequence[LayerCandidates], totals: _Totals, picks: Sequence[int]) -> list[list[int | None]]:
    """Moves of whole kernels.

    A kernel is taken by all layers that can, by those alone whose needs stay below the peak, or left by all.
    """
    moves: list[list[int | None]] = []
    names = sorted({candidate.kernel.name for layer in layers for candidate in layer.candidates})
    peak = max(needs[pick] for needs, pick in zip(totals.needs, picks, strict=True))
    for name in names:
        towards: list[int | None] = []
        below: list[int | None] = []
        away: list[int | None] = []
        for layer, needs, pick in zip(layers, totals.needs, picks, strict=True):
            ranks = {candidate.kernel.name: rank for rank, candidate in enumerate(layer.candidates)}
            others = [rank for other, rank in ranks.items() if other != name]
            rank = ranks.get(name)
            towards.append(rank)
            below.append(rank if rank is not None and needs[rank] <= peak else None)
            away.append(others[0] if rank == pick and others else None)
        moves += [towards, away] if below == towards else [towards, below, away]
    return moves
