"""The order of execution with the lowest peak of memory.

Dynamic programming over the sets of layers that can have run: two orders that ran the same set leave the same
memory behind, so only the one with the lower peak so far is kept. Level by level that is exact; when a level grows
beyond `WIDTH` sets only the best are kept, which makes it a beam search for large branching graphs. A chain has one
set a level. Where many layers are ready at once the beam is narrowed, so that the work stays below `WORK`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tinyedge.graph.ir import DType, Graph
from tinyedge.plan.liveness import (
    Memory,
    Step,
    aligned,
    input_in_place_offsets,
    is_rename,
    layer_variables,
    saved_bytes,
)

WIDTH = 64
"""sets of layers kept per level"""
WORK = 60_000
"""layers tried in all sets together, about two seconds"""


@dataclass(frozen=True)
class _State:
    """A set of layers that ran (bit mask), its peak so far, what stays alive, in which order, and what can run next."""

    done: int
    peak: int
    alive: int
    order: tuple[int, ...]
    ready: tuple[int, ...] = ()
    """ascending"""


def dependencies(graph: Graph, steps: Sequence[Step]) -> tuple[int, ...]:
    """For each layer a bit mask of the layers that must run before it.

    Data flows from writer to reader; layers that touch variables or resources keep the order of the file.
    """
    writer: dict[int, int] = {}
    masks = []
    last_stateful = -1
    for number, step in enumerate(steps):
        layer = step.layer
        mask = 0
        for tensor in layer.inputs:
            if tensor.index in writer:
                mask |= 1 << writer[tensor.index]
        resources = any(t.dtype is DType.RESOURCE for t in (*layer.inputs, *layer.outputs))
        if resources or layer_variables(graph, layer):
            if last_stateful >= 0:
                mask |= 1 << last_stateful
            last_stateful = number
        for tensor in layer.outputs:
            writer[tensor.index] = number
        masks.append(mask)
    return tuple(masks)


class _Accounts:
    """What running one more layer does to memory."""

    def __init__(self, memory: Memory, steps: Sequence[Step], alignment: int) -> None:
        self.memory, self.steps, self.alignment = memory, steps, alignment
        self.sizes = [aligned(s.bytes, alignment) for s in memory.storages]
        self.users = [sum(1 << user for user in s.users) for s in memory.storages]
        self.writers = [sum(1 << writer for writer in s.writers) for s in memory.storages]
        self.in_place_offsets = [input_in_place_offsets(memory, step) for step in steps]

    def start(self) -> _State:
        alive = sum(size for size, s in zip(self.sizes, self.memory.storages, strict=True) if s.from_start)
        return _State(0, alive, alive, ())

    def dies(self, storage: int, done: int) -> bool:
        return not self.memory.storages[storage].to_end and not self.users[storage] & ~done

    def run(self, state: _State, number: int) -> _State:
        """The state after layer `number`; its peak counts everything alive while it ran."""
        done = state.done | 1 << number
        fresh = [
            at
            for at in self.memory.writes[number]
            if not self.memory.storages[at].from_start and not self.writers[at] & state.done
        ]
        alive = state.alive + sum(self.sizes[at] for at in fresh)
        dying = [at for at in self.memory.touches[number] if self.dies(at, done)]
        now = alive + aligned(self.steps[number].scratch_bytes, self.alignment)
        if len(fresh) == 1 and len(self.steps[number].layer.outputs) == 1 and not is_rename(self.steps[number].layer):
            in_place_offsets = [
                (self.sizes[at], self.in_place_offsets[number].get(at)) for at in dying if at != fresh[0]
            ]
            pairs = [
                (size, aligned(in_place, self.alignment)) for size, in_place in in_place_offsets if in_place is not None
            ]
            now -= saved_bytes(self.sizes[fresh[0]], pairs)
        left = alive - sum(self.sizes[at] for at in dying)
        return _State(done, max(state.peak, now), left, (*state.order, number))


def _followers(needs: Sequence[int]) -> list[list[int]]:
    """For each layer those that wait for it."""
    found: list[list[int]] = [[] for _ in needs]
    for number, mask in enumerate(needs):
        before = mask
        while before:
            found[(before & -before).bit_length() - 1].append(number)
            before &= before - 1
    return found


def _with_ready(
    state: _State, level: Mapping[int, _State], needs: Sequence[int], followers: Sequence[Sequence[int]]
) -> _State:
    """The state with what can run next, from the state of `level` that it came from."""
    last = state.order[-1]
    before = level[state.done & ~(1 << last)]
    freed = [number for number in followers[last] if not needs[number] & ~state.done]
    return replace(state, ready=tuple(sorted({*before.ready, *freed} - {last})))


def best_order(graph: Graph, memory: Memory, steps: Sequence[Step], alignment: int = 4) -> tuple[int, ...]:
    """Positions of `steps` in the order with the lowest peak; the given order where nothing beats it."""
    accounts = _Accounts(memory, steps, alignment)
    needs = dependencies(graph, steps)
    given = accounts.start()
    for number in range(len(steps)):
        given = accounts.run(given, number)
    followers = _followers(needs)
    first = replace(accounts.start(), ready=tuple(number for number, before in enumerate(needs) if not before))
    level = {0: first}
    work = WORK
    for number_of_level in range(len(steps)):
        following: dict[int, _State] = {}
        for state in level.values():
            for number in state.ready:
                work -= 1
                after = accounts.run(state, number)
                known = following.get(after.done)
                if after.peak < given.peak and (known is None or after.peak < known.peak):
                    following[after.done] = after
        widest = max((len(state.ready) for state in level.values()), default=1)
        width = min(WIDTH, max(1, work // (widest * (len(steps) - number_of_level))))
        best = sorted(following.values(), key=lambda s: (s.peak, s.alive, s.order))[:width]
        level = {state.done: _with_ready(state, level, needs, followers) for state in best}
        if not level:
            return given.order
    return min(level.values(), key=lambda s: (s.peak, s.order)).order
