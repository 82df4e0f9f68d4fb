"""Which memory is alive when: tensors grouped into storage, and what every step needs.

A `Storage` is memory that one tensor has, or several tensors share because reshapes between them move no byte. It
depends on the graph alone; `lifetimes` and `step_needs` add an order of execution. Time is counted in steps: step `t`
is the layer that runs as number `t`. Inputs of the model are alive from step 0 (all are written before the first
layer), and until the last step where they are kept; outputs until the last step (all are read after it), variables
always.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyedge.graph.ir import Graph, Tensor
from tinyedge.kernels.contract import ExactOffset
from tinyedge.ops.contract import Layer
from tinyedge.ops.reshape import Reshape


@dataclass(frozen=True, eq=False)
class Step:
    """A layer and what its kernel wants of memory.

    in_place_offsets  one for each of `Layer.inputs`, by `Kernel.in_place_offset`; None: the output may not touch it
    reads_behind      bytes that must be readable behind the end of its tensors
    """

    layer: Layer
    scratch_bytes: int = 0
    in_place_offsets: tuple[int | None, ...] = ()
    reads_behind: int = 0

    def in_place(self, position: int) -> int | None:
        """The in-place offset of input `position`; None without one."""
        return self.in_place_offsets[position] if position < len(self.in_place_offsets) else None


@dataclass(frozen=True)
class Storage:
    """Memory for one tensor, or for several that hold the same bytes.

    variable        it keeps its bytes from one inference to the next: it lies in the state, not in the arena
    writers, users  positions of the layers that write it, and that write or read it
    """

    tensors: tuple[int, ...]
    bytes: int
    from_start: bool
    to_end: bool
    variable: bool
    writers: tuple[int, ...]
    users: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Memory:
    """All storage of a graph, and which of it each layer reads and writes (positions in `storages`)."""

    storages: tuple[Storage, ...]
    reads: tuple[tuple[int, ...], ...]
    writes: tuple[tuple[int, ...], ...]
    """without what a reshape only renames"""
    touches: tuple[tuple[int, ...], ...]

    @cached_property
    def of_tensor(self) -> Mapping[int, int]:
        """Tensor key -> position of its storage."""
        return {key: at for at, storage in enumerate(self.storages) for key in storage.tensors}


@dataclass(frozen=True)
class Overlap:
    """Step `step` lets its output, storage `output`, start at or below the address of `input` minus `in_place`.

    At that address only where the in-place offset is an `ExactOffset`.
    """

    step: int
    output: int
    input: int
    in_place: int


def is_rename(layer: Layer) -> bool:
    """Whether a layer only gives the same bytes another shape: its input and output may be one piece of memory."""
    if not isinstance(layer.params, Reshape) or len(layer.inputs) != 1 or len(layer.outputs) != 1:
        return False
    source, target = layer.inputs[0], layer.outputs[0]
    steady = not (source.is_constant or source.is_variable or target.is_variable)
    return steady and source.bytes == target.bytes


def layer_variables(graph: Graph, layer: Layer) -> tuple[Tensor, ...]:
    """The variables a layer reads or writes, in the operator's order. What the file has data for is a constant."""
    keys = dict.fromkeys((*layer.operator.inputs, *layer.operator.outputs))
    tensors = [graph.tensors[key] for key in keys if key >= 0]
    return tuple(tensor for tensor in tensors if tensor.is_variable and not tensor.is_constant)


def find_memory(graph: Graph, layers: Sequence[Layer], *, keep_inputs: bool = False) -> Memory:
    """Group the tensors that need RAM into storage. Constants need none, and what is borrowed has it elsewhere.

    keep_inputs  the inputs of the model hold their bytes until the end
    """
    last = (*graph.outputs, *graph.inputs) if keep_inputs else graph.outputs
    read = [_keys(graph, (*layer.inputs, *layer_variables(graph, layer))) for layer in layers]
    written = [_keys(graph, layer.outputs) for layer in layers]
    borders = _keys(graph, (*graph.input_tensors(), *graph.output_tensors()))
    keys = tuple(dict.fromkeys((*borders, *(k for r, w in zip(read, written, strict=True) for k in (*r, *w)))))
    root = {key: key for key in keys}

    def find(key: int) -> int:
        while root[key] != key:
            key = root[key]
        return key

    for layer in layers:
        if is_rename(layer):
            root[find(layer.outputs[0].index)] = find(layer.inputs[0].index)
    groups: dict[int, list[int]] = {}
    for key in keys:
        groups.setdefault(find(key), []).append(key)
    position = {key: at for at, group in enumerate(groups.values()) for key in group}
    reads = [tuple(dict.fromkeys(position[key] for key in step)) for step in read]
    writes = [
        () if is_rename(layer) else tuple(dict.fromkeys(position[key] for key in step))
        for layer, step in zip(layers, written, strict=True)
    ]
    touches = tuple(tuple(dict.fromkeys((*r, *w))) for r, w in zip(reads, writes, strict=True))
    writers = _positions(writes)
    users = _positions(touches)
    storages = []
    for at, group in enumerate(groups.values()):
        tensors = [graph.tensors[key] for key in group]
        variable = any(t.is_variable for t in tensors)
        storages.append(
            Storage(
                tensors=tuple(group),
                bytes=max(t.bytes for t in tensors),
                from_start=variable or any(key in graph.inputs for key in group),
                to_end=variable or any(key in last for key in group),
                variable=variable,
                writers=tuple(writers.get(at, ())),
                users=tuple(users.get(at, ())),
            )
        )
    return Memory(tuple(storages), tuple(reads), tuple(writes), touches)


def _positions(steps: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """Storage -> the steps that name it, in order."""
    found: dict[int, list[int]] = {}
    for number, step in enumerate(steps):
        for at in step:
            found.setdefault(at, []).append(number)
    return found


def _keys(graph: Graph, tensors: Iterable[Tensor]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(t.index for t in tensors if not t.is_constant and t.index not in graph.borrowed))


def lifetimes(memory: Memory, order: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """First and last step of each storage, when the layers run in `order`."""
    step_of = {layer: step for step, layer in enumerate(order)}
    end = max(len(order) - 1, 0)
    spans = []
    for storage in memory.storages:
        steps = [step_of[layer] for layer in storage.users]
        first = 0 if storage.from_start else min(steps, default=0)
        spans.append((first, end if storage.to_end else max(steps, default=0)))
    return tuple(spans)


def tensor_lifetimes(graph: Graph, layers: Sequence[Layer], *, keep_inputs: bool = False) -> dict[int, tuple[int, int]]:
    """First and last step of each tensor that needs RAM, each for itself, when the layers run as listed."""
    end = max(len(layers) - 1, 0)
    spans: dict[int, tuple[int, int]] = {}

    def use(tensor: Tensor, step: int) -> None:
        if not tensor.is_constant and tensor.index not in graph.borrowed:
            first, last = spans.get(tensor.index, (step, step))
            spans[tensor.index] = (min(first, step), max(last, step))

    for tensor in graph.input_tensors():
        use(tensor, 0)
        if keep_inputs:
            use(tensor, end)
    for step, layer in enumerate(layers):
        for tensor in (*layer.inputs, *layer.outputs):
            use(tensor, step)
        for tensor in layer_variables(graph, layer):
            if tensor.index not in graph.borrowed:
                spans[tensor.index] = (0, end)
    for tensor in graph.output_tensors():
        use(tensor, end)
    return spans


def find_overlaps(memory: Memory, steps: Sequence[Step], spans: Sequence[tuple[int, int]]) -> tuple[Overlap, ...]:
    """Every pair of output and dying input that may share memory; `steps` in order of execution, offsets at least 0.

    What must last until the end does not die in the last step: it is read after it. And a variable is there before
    the first step, also when that is what writes it.
    """
    found = []
    for number, step in enumerate(steps):
        if len(step.layer.outputs) != 1 or is_rename(step.layer):
            continue
        output = memory.of_tensor.get(step.layer.outputs[0].index)
        if output is None or memory.storages[output].from_start:
            continue
        in_place_offsets = input_in_place_offsets(memory, step)
        found += [
            Overlap(number, output, source, in_place)
            for source, in_place in in_place_offsets.items()
            if in_place is not None
            and spans[source][1] == number == spans[output][0]
            and not memory.storages[source].to_end
        ]
    return tuple(found)


def input_in_place_offsets(memory: Memory, step: Step) -> dict[int, int | None]:
    """In-place offset by storage read: one that suits every use of a storage that is read twice, else None."""
    in_place_offsets: dict[int, int | None] = {}
    for position, tensor in enumerate(step.layer.inputs):
        source = memory.of_tensor.get(tensor.index, -1)
        if source >= 0:
            in_place_offsets[source] = _common_offset(step.in_place(position), in_place_offsets.get(source, 0))
    for key in (*step.layer.operator.inputs, *step.layer.operator.outputs):
        source = memory.of_tensor.get(key, -1)
        if source >= 0 and memory.storages[source].from_start and memory.storages[source].to_end:
            in_place_offsets[source] = None
    return in_place_offsets


def _common_offset(first: int | None, second: int | None) -> int | None:
    """The smallest in-place offset that suits both."""
    if first is None or second is None:
        return None
    exact = {in_place for in_place in (first, second) if isinstance(in_place, ExactOffset)}
    if not exact:
        return max(first, second)
    in_place = exact.pop()
    return in_place if not exact and in_place == max(first, second) else None


def saved_bytes(output_bytes: int, dying: Iterable[tuple[int, int]]) -> int:
    """The most memory an output can share with dying inputs, given as (bytes, in-place offset): an upper bound.

    An input begins that many bytes or more above the output's start, so nothing below the smallest offset is shared.
    """
    pairs = [(size, in_place) for size, in_place in dying if in_place < output_bytes]
    if not pairs:
        return 0
    return min(
        output_bytes - min(in_place for _, in_place in pairs),
        sum(min(size, output_bytes - in_place) for size, in_place in pairs),
    )


def aligned(size: int, alignment: int) -> int:
    """`size` rounded up to a multiple of `alignment`."""
    return -(-size // alignment) * alignment


def step_needs(memory: Memory, steps: Sequence[Step], order: Sequence[int], alignment: int) -> tuple[int, ...]:
    """What each step needs at least, in bytes: all that is alive, each piece aligned, less what may overlap.

    No arrangement of the arena can have fewer bytes than the largest of these. `steps` in order of execution.
    """
    spans = lifetimes(memory, order)
    overlaps = find_overlaps(memory, steps, spans)
    sizes = [aligned(storage.bytes, alignment) for storage in memory.storages]
    totals = [aligned(step.scratch_bytes, alignment) for step in steps] or [0]
    for size, (first, last) in zip(sizes, spans, strict=True):
        for step in range(first, last + 1):
            totals[step] += size
    shared: dict[int, list[Overlap]] = {}
    for overlap in overlaps:
        shared.setdefault(overlap.step, []).append(overlap)
    for step, group in shared.items():
        pairs = [(sizes[o.input], aligned(o.in_place, alignment)) for o in group]
        totals[step] -= saved_bytes(sizes[group[0].output], pairs)
    return tuple(totals)
