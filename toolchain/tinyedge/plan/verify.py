"""An independent check of a finished plan: nothing here trusts how the offsets were found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from tinyedge.artifacts import Buffer, Plan, PlanUnit
from tinyedge.errors import InternalError
from tinyedge.kernels.contract import ExactOffset
from tinyedge.plan.liveness import is_rename, tensor_lifetimes
from tinyedge.plan.replay import replay_problems


def verify_plan(plan: Plan) -> None:
    """Check that the plan can run.

    Layers run once each and after what they read; every tensor that needs RAM has one buffer, large enough and alive
    long enough; buffers are aligned and inside the arena; no two buffers alive at one step overlap, except an output
    and a dying input as far as the kernel's in-place offset allows, and the two sides of a reshape at the same address.
    Variables, and nothing else, lie in the state, where no two overlap.

    Raises: InternalError naming both buffers with their offsets
    """
    for problem in _problems(plan):
        raise InternalError(f"the memory plan of model `{plan.graph.name}` is wrong: {problem}")


def _problems(plan: Plan) -> Iterator[str]:
    yield from _order_problems(plan)
    yield from _buffer_problems(plan)
    yield from _place_problems(plan)
    for group in plan.groups:
        yield from replay_problems(plan, group)
    alive = [(buffer, step) for buffer in plan.buffers for step in range(buffer.first, buffer.last + 1)]
    at_step: dict[int, list[Buffer]] = {}
    for buffer, step in alive:
        at_step.setdefault(step, []).append(buffer)
    for step, buffers in sorted(at_step.items()):
        for a, b in _meeting(buffers):
            if not _same_bytes(plan, a, b) and not _may_overlap(plan, step, a, b):
                yield f"{describe_buffer(a)} and {describe_buffer(b)} overlap at step {step}"
    for a, b in _meeting(plan.state):
        yield f"{describe_buffer(a)} and {describe_buffer(b)} overlap in the state"


def _meeting(buffers: Sequence[Buffer]) -> list[tuple[Buffer, Buffer]]:
    """Every pair that has a byte in common, in the order of `buffers`."""
    pairs: list[tuple[int, int]] = []
    reached: list[int] = []
    for at in sorted(range(len(buffers)), key=lambda at: buffers[at].offset):
        reached = [other for other in reached if buffers[other].offset + buffers[other].bytes > buffers[at].offset]
        if buffers[at].bytes:
            pairs += [(min(other, at), max(other, at)) for other in reached]
            reached.append(at)
    return [(buffers[a], buffers[b]) for a, b in sorted(pairs)]


def describe_buffer(buffer: Buffer) -> str:
    """Name, place and size of a buffer, as messages show it."""
    end = buffer.offset + buffer.bytes
    return f"`{buffer.name}` at [{buffer.offset:,}, {end:,}) alive at steps {buffer.first}-{buffer.last}"


def _order_problems(plan: Plan) -> Iterator[str]:
    written = {key for key, tensor in plan.graph.tensors.items() if tensor.is_constant or tensor.is_variable}
    written.update(plan.graph.inputs)
    done = set()
    for step, planned in enumerate(plan.layers):
        layer = planned.layer
        for tensor in layer.inputs:
            if tensor.index not in written:
                title = f"operator {layer.index} (`{layer.name}`) at step {step}"
                yield f"{title} reads `{tensor.name}` before it is written"
        written.update(tensor.index for tensor in layer.outputs)
        done.add(layer.index)
    for operator in plan.graph.operators:
        if operator.index not in done:
            yield f"operator {operator.index} (`{operator.name}`) never runs"
    if len(plan.layers) != len(plan.graph.operators):
        yield f"{len(plan.layers)} layers for {len(plan.graph.operators)} operators"


def _buffer_problems(plan: Plan) -> Iterator[str]:
    units = plan.units
    by_unit = tensor_lifetimes(plan.graph, [unit.layer for unit in units], keep_inputs=plan.keeps_inputs)
    spans = {
        key: (units[first].first, units[last].last) if units else (first, last)
        for key, (first, last) in by_unit.items()
    }
    every = (*plan.buffers, *plan.state)
    buffers = {buffer.tensor: buffer for buffer in every if buffer.tensor is not None}
    scratch = [unit.scratch for unit in units if unit.scratch is not None]
    if len(buffers) + len(scratch) != len(every):
        yield f"{len(every)} buffers for {len(buffers)} tensors and {len(scratch)} pieces of scratch"
    for key, (first, last) in spans.items():
        tensor = plan.graph.tensors[key]
        if key not in buffers:
            yield f"tensor `{tensor.name}` has no buffer"
        elif buffers[key].bytes < tensor.bytes:
            yield f"{describe_buffer(buffers[key])} is smaller than its tensor ({tensor.bytes:,} B)"
        elif buffers[key].first > first or buffers[key].last < last:
            yield f"{describe_buffer(buffers[key])} should be alive at steps {first}-{last}"
    for unit in units:
        if unit.scratch is not None:
            if unit.scratch not in plan.buffers:
                yield f"{describe_buffer(unit.scratch)} is not among the buffers"
            if not (unit.scratch.first <= unit.first and unit.last <= unit.scratch.last):
                yield f"{describe_buffer(unit.scratch)} is scratch of {_steps(unit)}"


def _steps(unit: PlanUnit) -> str:
    return f"step {unit.first}" if unit.first == unit.last else f"steps {unit.first}-{unit.last}"


def _place_problems(plan: Plan) -> Iterator[str]:
    alignment = plan.alignment
    read_behind: dict[int | None, int] = {}
    for unit in plan.units:
        for tensor in (*unit.layer.inputs, *unit.layer.outputs):
            read_behind[tensor.index] = max(unit.reads_behind, read_behind.get(tensor.index, 0))
    for region, limit, found in (("arena", plan.arena_bytes, plan.buffers), ("state", plan.state_bytes, plan.state)):
        for buffer in found:
            if buffer.offset % alignment:
                yield f"{describe_buffer(buffer)} is not aligned to {alignment} B"
            if buffer.offset < 0 or buffer.offset + buffer.bytes > limit:
                yield f"{describe_buffer(buffer)} is outside the {region} of {limit:,} B"
            variable = buffer.tensor is not None and plan.graph.tensors[buffer.tensor].is_variable
            if variable != (region == "state"):
                yield f"{describe_buffer(buffer)} is in the {region}"
            behind = buffer.offset + buffer.bytes + read_behind.get(buffer.tensor, 0)
            if behind > limit:
                yield f"{describe_buffer(buffer)} is read up to {behind:,}, the {region} has {limit:,} B"


def _same_bytes(plan: Plan, a: Buffer, b: Buffer) -> bool:
    """Whether the two hold the same bytes at the same address: reshapes lead from one to the other."""
    if a.tensor is None or b.tensor is None or (a.offset, a.bytes) != (b.offset, b.bytes):
        return False
    source = _renamed(plan)
    return _origin(source, a.tensor) == _origin(source, b.tensor)


@lru_cache(maxsize=1)
def _renamed(plan: Plan) -> dict[int, int]:
    """Tensor -> the tensor whose bytes a reshape gave another shape."""
    return {p.layer.outputs[0].index: p.layer.inputs[0].index for p in plan.layers if is_rename(p.layer)}


@lru_cache(maxsize=1)
def _of_tensor(plan: Plan) -> dict[int, Buffer]:
    return {buffer.tensor: buffer for buffer in reversed(plan.buffers) if buffer.tensor is not None}


def _origin(source: dict[int, int], key: int) -> int:
    while key in source:
        key = source[key]
    return key


def _may_overlap(plan: Plan, step: int, a: Buffer, b: Buffer) -> bool:
    """Whether one is the output of the layer or group at `step`, the other an input that dies there, and the in-place
    offset is kept."""
    unit = next((unit for unit in plan.units if unit.first <= step <= unit.last), None)
    return unit is not None and (_offset_kept(plan, unit, a, b) or _offset_kept(plan, unit, b, a))


def _offset_kept(plan: Plan, unit: PlanUnit, output: Buffer, source: Buffer) -> bool:
    layer = unit.layer
    if output.tensor is None or [t.index for t in layer.outputs] != [output.tensor]:
        return False
    if source.tensor is None or source.last != unit.last or output.first != unit.first or is_rename(layer):
        return False
    if any(plan.graph.tensors[buffer.tensor].is_variable for buffer in (source, output) if buffer.tensor is not None):
        return False
    if source.tensor in plan.graph.outputs or (plan.keeps_inputs and source.tensor in plan.graph.inputs):
        return False
    in_place_offsets = [
        unit.in_place_offsets[position] if position < len(unit.in_place_offsets) else None
        for position, tensor in enumerate(layer.inputs)
        if _holds(plan, source, tensor.index)
    ]
    return bool(in_place_offsets) and all(
        _kept(in_place, source.offset - output.offset) for in_place in in_place_offsets
    )


def _kept(in_place: int | None, distance: int) -> bool:
    """Whether an output that starts so far below an input keeps the in-place offset."""
    if in_place is None:
        return False
    return distance == in_place if isinstance(in_place, ExactOffset) else distance >= in_place


def _holds(plan: Plan, buffer: Buffer, key: int) -> bool:
    """Whether tensor `key` is in `buffer`, itself or under another shape."""
    if key == buffer.tensor:
        return True
    other = _of_tensor(plan).get(key)
    return other is not None and _same_bytes(plan, buffer, other)
