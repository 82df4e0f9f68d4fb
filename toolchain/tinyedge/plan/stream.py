"""A group of layers as one stream of rows: where its sliding buffers lie, and every call of it with its addresses.

Everything that waits inside lies in one piece of scratch, the strip: buffers of rows, and scratch of the kernels,
packed by the calls at which they are in use. Tensors that the group reads from outside and its output lie whole in the
arena.

In place: the output rows of a layer whose kernel reads before it writes (depthwise, element-wise) lie where the oldest
row of its window dies, if they are used up before that buffer takes the next row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from tinyedge.kernels.contract import Cost, ExactOffset, Kernel
from tinyedge.ops.contract import Layer
from tinyedge.plan.addresses import PlacedCall, place_calls
from tinyedge.plan.flow import Flow, bits
from tinyedge.plan.leads import find_lead
from tinyedge.plan.liveness import aligned
from tinyedge.plan.row_buffers import (
    ALIGNMENT,
    RowBuffer,
    arrives,
    buffer_of,
    given_left,
    outside_tensors,
    read_in_place,
)
from tinyedge.plan.rows import height, row_bytes, sums_bytes, window_reach

STATE_BYTES = 8
"""at the end of the strip of a group whose rows arrive one by one: how far it has come"""
_CALL_CYCLES = 34
"""the entry of the table, the branch to its case, arguments and return"""
_SLIDE_CYCLES_PER_WORD = 1.4
_COPY_CYCLES_PER_WORD = 1.2
_COPY_CYCLES = 30
CODE_BYTES = 96
CASE_BYTES = 60
"""machine code of a layer beside its kernel"""
SUM_CYCLES_PER_CELL = 3.3
SUM_CYCLES_PER_OUTPUT = 24


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a layer, and the kernel that computes them; `kernel` None: rows are added up.

    in_place_offsets  as the kernel gave them, for each input
    reads_behind      likewise
    """

    layer: Layer
    kernel: Kernel | None
    cost: Cost
    scratch_bytes: int
    in_place_offsets: tuple[int | None, ...] = ()
    reads_behind: int = 0


@dataclass(frozen=True, eq=False)
class Stream:
    """A group that starts with layer `first` of a flow.

    parts     (position, rows of a call) -> what computes them
    buffers   tensor -> its rows in the strip
    in_place  tensor -> the input of its layer in whose dying rows it lies
    scratch   position -> offset of its kernel's scratch in the strip
    leads     tensor read from outside -> how far the output must start below it to overlap it
    """

    flow: Flow
    first: int
    parts: Mapping[tuple[int, int], Part]
    buffers: Mapping[int, RowBuffer]
    in_place: Mapping[int, int]
    scratch: Mapping[int, int]
    strip_bytes: int
    leads: Mapping[int, int]
    cost: Cost
    loaded: frozenset[int] = field(default_factory=frozenset)
    """tensors from outside that are copied row by row"""
    reads_behind: int = 0
    """bytes behind tensors that lie whole"""

    @property
    def last(self) -> int:
        return self.flow.last

    @property
    def layers(self) -> tuple[Layer, ...]:
        """In order of execution."""
        return tuple(layer for at, layer in self.flow.layers.items() if at >= self.first)

    @property
    def output(self) -> int:
        """The tensor that it computes."""
        return self.flow.layers[self.last].outputs[0].index

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The tensors that it reads from outside, in the order of first use."""
        return outside_tensors(self.flow, self.first)

    @cached_property
    def calls(self) -> tuple[PlacedCall, ...]:
        """In order, each with its addresses."""
        return tuple(place_calls(self.flow, self.first, self.buffers, self.in_place, self.loaded))

    def layer_cost(self, position: int) -> Cost:
        """What one layer takes in all its calls."""
        return _layer_cost(self.flow, self.parts, position)


def _layer_cost(flow: Flow, parts: Mapping[tuple[int, int], Part], position: int) -> Cost:
    return _cost_of_calls(flow, position, tuple(parts[position, rows].cost for rows in sorted(flow.runs[position])))


@lru_cache(maxsize=4096)
def _cost_of_calls(flow: Flow, position: int, costs: tuple[Cost, ...]) -> Cost:
    """Of a layer in all its calls, given what a call of so many rows takes, the fewest rows first."""
    calls = flow.runs[position]
    cycles = sum(calls[rows] * (cost.cycles + _CALL_CYCLES) for rows, cost in zip(sorted(calls), costs, strict=True))
    shared = {name: size for cost in costs for name, size in cost.shared_code}
    # Parts of a convolution have their weights in common; other kernels put sizes among theirs.
    constants = [cost.constant_bytes for cost in costs]
    return Cost(
        cycles,
        sum(cost.code_bytes for cost in costs),
        max(constants) if flow.layers[position].name == "conv_2d" else sum(constants),
        tuple(shared.items()),
        costs[0].storage,
    )


# -- packing ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def pack(blocks: tuple[tuple[int, int], ...]) -> tuple[int, tuple[int, ...]]:
    """(bytes in all, offset of each) of blocks of (bytes, calls at which each is in use): the best of three orders."""
    sizes = [aligned(size, ALIGNMENT) for size, _ in blocks]
    busy = [live.bit_count() for _, live in blocks]
    everything = range(len(blocks))
    orders = (
        sorted(everything, key=lambda i: -sizes[i]),
        sorted(everything, key=lambda i: (-busy[i], -sizes[i])),
        sorted(everything, key=lambda i: -sizes[i] * busy[i]),
    )
    best: tuple[int, tuple[int, ...]] | None = None
    for order in orders:
        offsets = [-1] * len(blocks)
        for i in order:
            taken = sorted(
                (offsets[j], offsets[j] + sizes[j])
                for j in everything
                if offsets[j] >= 0 and blocks[i][1] & blocks[j][1]
            )
            at = 0
            for start, end in taken:
                if start >= at + sizes[i]:
                    break
                at = max(at, end)
            offsets[i] = at
        top = max((offsets[i] + sizes[i] for i in everything), default=0)
        if best is None or top < best[0]:
            best = top, tuple(offsets)
    assert best is not None
    return best


def make_stream(flow: Flow, first: int, parts: Mapping[tuple[int, int], Part]) -> Stream | None:
    """The group of a flow's layers from `first` on, with given kernels; None where no kernel takes rows as they lie."""
    outside = outside_tensors(flow, first)
    output = flow.layers[flow.last].outputs[0]
    if flow.readings[flow.last].kind != "sums" and row_bytes(output) % ALIGNMENT:
        return None
    loaded = frozenset(key for key in outside if not read_in_place(flow, key, first))
    inner = [key for key, at in flow.made_by.items() if first <= at < flow.last]
    buffers: dict[int, RowBuffer] = {}
    for key in (*loaded, *inner):
        buffer = buffer_of(flow, key, first)
        if buffer is None:
            return None
        buffers[key] = buffer
    in_place = _find_in_place(flow, first, parts, buffers)
    spans = {key: flow.spans[key] for key in buffers}
    for key, source in in_place.items():
        spans[source] |= spans.pop(key)
        del buffers[key]
    blocks = [(buffers[key].bytes, spans[key]) for key in buffers]
    scratch = _scratch_blocks(flow, first, parts)
    strip_bytes, offsets = pack((*blocks, *scratch.values()))
    placed = {
        key: RowBuffer(key, buffer.rows, buffer.pitch, buffer.left, offset)
        for (key, buffer), offset in zip(buffers.items(), offsets, strict=False)
    }
    scratch_at = dict(zip(scratch, offsets[len(blocks) :], strict=True))
    cost = _stream_cost(flow, first, parts, placed, loaded)
    strip_bytes = max(strip_bytes, _readable_end(flow, first, parts, placed, in_place))
    if arrives(flow, first):
        strip_bytes += STATE_BYTES
    behind = _reads_behind(flow, first, parts, set(outside) - loaded)
    leads = {}
    for key in outside:
        in_last = {} if key in loaded else _last_in_place(flow, parts, key)
        leads[key] = find_lead(flow, first, key, loaded=key in loaded, in_place=in_last)
    return Stream(flow, first, parts, placed, in_place, scratch_at, strip_bytes, leads, cost, loaded, behind)


def _last_in_place(flow: Flow, parts: Mapping[tuple[int, int], Part], tensor: int) -> dict[int, int | None]:
    """Rows of a call of the last layer -> its kernel's in-place offset for a tensor; empty where that is not read."""
    found: dict[int, int | None] = {}
    for rows in flow.runs[flow.last]:
        part = parts[flow.last, rows]
        offsets = [
            offset
            for source, offset in zip(part.layer.inputs, part.in_place_offsets, strict=False)
            if source.index == tensor and part.kernel is not None
        ]
        if any(offset is None or isinstance(offset, ExactOffset) for offset in offsets):
            found[rows] = None
        elif offsets:
            found[rows] = max(offset for offset in offsets if offset is not None)
    return found


def _readable_end(
    flow: Flow,
    first: int,
    parts: Mapping[tuple[int, int], Part],
    buffers: Mapping[int, RowBuffer],
    in_place: Mapping[int, int],
) -> int:
    """Where the strip must end so that what kernels read behind rows is in it."""
    end = 0
    for (at, _), part in parts.items():
        for tensor in part.layer.inputs if at >= first and part.reads_behind else ():
            buffer = buffers.get(in_place.get(tensor.index, tensor.index))
            if buffer is not None:
                row = buffer.pitch
                if tensor.index in buffers and flow.readings[at].kind == "window":
                    row = buffer.left - given_left(flow, at, tensor.index) + window_reach(part.layer)
                end = max(end, buffer.at + buffer.bytes - buffer.pitch + row + part.reads_behind)
    return aligned(end, ALIGNMENT)


def _reads_behind(flow: Flow, first: int, parts: Mapping[tuple[int, int], Part], whole: Collection[int]) -> int:
    """How many bytes are read behind the end of tensors that lie whole."""
    return max(
        (
            part.reads_behind
            for (at, _), part in parts.items()
            if at >= first and any(tensor.index in whole for tensor in part.layer.inputs)
        ),
        default=0,
    )


def _scratch_blocks(flow: Flow, first: int, parts: Mapping[tuple[int, int], Part]) -> dict[int, tuple[int, int]]:
    """Position -> (bytes of scratch, calls at which it is in use), where a layer has any."""
    found = {}
    for at in flow.layers:
        if at < first:
            continue
        live = flow.run_bits[at]
        size = max(parts[at, rows].scratch_bytes for rows in flow.runs[at])
        if flow.readings[at].kind == "sums":
            size = sums_bytes(flow.layers[at])
            live = bits((live & -live).bit_length() - 1, live.bit_length() - 1)
        if size:
            found[at] = size, live
    return found


def _find_in_place(
    flow: Flow,
    first: int,
    parts: Mapping[tuple[int, int], Part],
    buffers: Mapping[int, RowBuffer],
) -> dict[int, int]:
    """Tensor -> the input of its layer in whose dying rows it can lie."""
    found: dict[int, int] = {}
    for at, layer in flow.layers.items():
        output = layer.outputs[0].index
        if at < first or at == flow.last or output in flow.fill or layer.name == "conv_2d":
            continue
        used = [parts[at, rows] for rows in flow.runs[at]]
        for position, tensor in enumerate(layer.inputs):
            source = buffers.get(tensor.index)
            if source is None or source.left or tensor.index in found or flow.readers(tensor.index, first) != [at]:
                continue
            offsets = {part.in_place_offsets[position] for part in used if part.kernel is not None}
            size = row_bytes(layer.outputs[0])
            ends = {rows * size - back[position] * source.pitch for rows, back in flow.run_kinds[at]}
            dying = flow.readings[at].step * source.pitch
            fits = size <= dying and len(ends) == 1 and flow.rows[output] == max(flow.runs[at])
            apart = flow.rows[output] == 1 or source.pitch == row_bytes(tensor)
            if offsets == {0} and fits and apart and not flow.spans[output] & flow.push_bits[tensor.index]:
                found[output] = tensor.index
                break
    return found


def _stream_cost(
    flow: Flow,
    first: int,
    parts: Mapping[tuple[int, int], Part],
    buffers: Mapping[int, RowBuffer],
    loaded: frozenset[int],
) -> Cost:
    """All layers' costs, with sliding, copying and borders."""
    costs = [_layer_cost(flow, parts, at) for at in flow.layers if at >= first]
    cycles = float(sum(cost.cycles for cost in costs))
    for key, buffer in buffers.items():
        cycles += flow.borders[key] * (_COPY_CYCLES + buffer.pitch / 4)
        if buffer.rows > 1:
            slid = (buffer.bytes - buffer.pitch) / 4 * _SLIDE_CYCLES_PER_WORD
            cycles += flow.push_bits[key].bit_count() * (_COPY_CYCLES + slid)
        if key in loaded:
            rows = height(flow.tensors[key])
            cycles += rows * (_COPY_CYCLES + row_bytes(flow.tensors[key]) / 4 * _COPY_CYCLES_PER_WORD)
    calls = sum(flow.runs[at].total() for at in flow.layers if at >= first)
    calls += sum(flow.borders[key] + 1 for key in buffers)
    shared = {name: size for cost in costs for name, size in cost.shared_code}
    code = sum(cost.code_bytes for cost in costs) + CODE_BYTES + CASE_BYTES * len(costs)
    constants = sum(cost.constant_bytes for cost in costs) + calls
    return Cost(int(cycles), code, constants, tuple(shared.items()))
