"""What a plan executes: the work of each of its units, by kernel and part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tinyedge.arithmetic.movement import Movement
from tinyedge.artifacts import Plan, PlanUnit
from tinyedge.boards import Core
from tinyedge.cost.work import CALL, Place, layer_work, moves_work
from tinyedge.plan.rows import height, row_bytes
from tinyedge.plan.stream import Stream
from tinyedge.plan.stream_kernel import StreamKernel

STREAM = "stream"
"""in the place of a kernel: what goes on between the calls of a stream of rows"""
UnitWork = Mapping[tuple[str, str], float]
"""(kernel, part) -> how often in one inference"""


def unit_work(plan: Plan, unit: PlanUnit, core: Core) -> UnitWork:
    """Of one unit of a plan."""
    if isinstance(unit.kernel, StreamKernel):
        return stream_work(unit.kernel.stream, core)
    work = layer_work(unit.kernel, unit.layer, core)
    if isinstance(unit.layer.params, Movement):
        work = moves_work(unit.layer.params, *_places(plan, unit))
    elif unit.kernel.name == "portable/reshape" and _stays(plan, unit):
        work = {CALL: 1.0}
    return {(unit.kernel.name, part): count for part, count in work.items()}


def _stays(plan: Plan, unit: PlanUnit) -> bool:
    """Whether nothing has to be copied, since it is where it should be."""
    sources, targets = _places(plan, unit)
    return sources[:1] == targets[:1]


def _places(plan: Plan, unit: PlanUnit) -> tuple[list[Place | None], list[Place | None]]:
    layer = unit.layer
    return [place_of(plan, t.index) for t in layer.inputs], [place_of(plan, t.index) for t in layer.outputs]


def place_of(plan: Plan, tensor: int) -> Place | None:
    """Where a tensor lies: in the arena or in the state, and at which byte of it; None: elsewhere."""
    for where, buffers in (("arena", plan.buffers), ("state", plan.state)):
        for buffer in buffers:
            if buffer.tensor == tensor:
                return where, buffer.offset
    return None


def stream_work(stream: Stream, core: Core) -> UnitWork:
    """All calls of a group's layers, and what lies between them."""
    parts: dict[tuple[str, str], float] = defaultdict(float, _between(stream))
    for at in stream.flow.layers:
        for part, count in stream_layer_work(stream, at, core).items() if at >= stream.first else ():
            parts[part] += count
    return {part: count for part, count in parts.items() if count}


def stream_layer_work(stream: Stream, at: int, core: Core) -> UnitWork:
    """All calls of one layer of a group, by its position."""
    parts: dict[tuple[str, str], float] = defaultdict(float)
    for rows, times in stream.flow.runs[at].items():
        part = stream.parts[at, rows]
        parts[STREAM, "calls"] += times
        if part.kernel is not None:
            for name, count in layer_work(part.kernel, part.layer, core).items():
                parts[part.kernel.name, name] += times * count
            continue
        source = part.layer.inputs[0]
        parts[STREAM, "sum calls"] += times
        parts[STREAM, "sum cells"] += times * rows * source.shape[2] * source.shape[3]
        parts[STREAM, "sum outputs"] += source.shape[3]
    return parts


def _between(stream: Stream) -> UnitWork:
    """Borders that are filled, rows that slide, rows that are copied in."""
    parts: dict[tuple[str, str], float] = defaultdict(float)
    flow = stream.flow
    for key, buffer in stream.buffers.items():
        parts[STREAM, "borders"] += flow.borders[key]
        parts[STREAM, "border words"] += flow.borders[key] * buffer.pitch / 4
        if buffer.rows > 1:
            slides = flow.push_bits[key].bit_count()
            parts[STREAM, "slides"] += slides
            parts[STREAM, "slid words"] += slides * (buffer.bytes - buffer.pitch) / 4
        if key in stream.loaded:
            tensor = flow.tensors[key]
            parts[STREAM, "loads"] += height(tensor)
            parts[STREAM, "loaded words"] += height(tensor) * row_bytes(tensor) / 4
    return parts


def layer_works(unit: PlanUnit, whole: UnitWork, core: Core) -> list[UnitWork]:
    """The work of each layer of a unit; of a group without what lies between the calls."""
    if not isinstance(unit.kernel, StreamKernel):
        return [whole]
    stream = unit.kernel.stream
    return [stream_layer_work(stream, at, core) for at in stream.flow.layers if at >= stream.first]
