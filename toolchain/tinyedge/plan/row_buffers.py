"""Buffers of rows: how many rows of a tensor wait in the strip of a stream, how wide they are, and what needs none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tinyedge.plan.flow import Flow
from tinyedge.plan.liveness import aligned
from tinyedge.plan.rows import row_bytes

ALIGNMENT = 4
"""bytes, of all that kernels are given to read and write"""


@dataclass(frozen=True)
class RowBuffer:
    """Rows of a tensor in the strip. `left` bytes of border lie in front of each row; `at` is its offset."""

    tensor: int
    rows: int
    pitch: int
    left: int
    at: int = 0

    @property
    def bytes(self) -> int:
        return self.rows * self.pitch


def buffer_of(flow: Flow, tensor: int, first: int) -> RowBuffer | None:
    """The rows of a tensor as its readers from `first` on take them; None where no kernel could."""
    made = flow.made_by.get(tensor, -1)
    return _find_buffer(flow, tensor, made if made >= first else first)


@lru_cache(maxsize=512)
def _find_buffer(flow: Flow, tensor: int, first: int) -> RowBuffer | None:
    image, cell = flow.tensors[tensor], cell_bytes(flow, tensor)
    readers = [flow.layers[at] for at in flow.readers(tensor, first)]
    rows, left, columns = flow.rows[tensor], 0, image.shape[2]
    if tensor in flow.columns:
        left, columns = flow.columns[tensor]
    by_columns = tensor in flow.columns or (rows > 1 and any(layer.name == "conv_2d" for layer in readers))
    while by_columns and rows > 1 and not flow.pieces[tensor] and columns * cell % ALIGNMENT:
        columns += 1  # conv_2d takes rows of any width
    pitch = columns * cell
    if flow.pieces[tensor] and pitch != row_bytes(image):
        return None
    if not by_columns and not flow.pieces[tensor]:
        pitch = aligned(pitch, ALIGNMENT)
    if rows > 1 and pitch % ALIGNMENT:
        return None
    buffer = RowBuffer(tensor, rows, pitch, left * cell)
    maker = flow.made_by.get(tensor, -1)
    written_by_kernel = maker >= first
    if written_by_kernel and max(flow.runs[maker]) > 1 and pitch != row_bytes(image):
        return None  # kernels write rows one behind the other
    offsets = [buffer.left] * written_by_kernel
    offsets += [buffer.left - given_left(flow, at, tensor) for at in flow.readers(tensor, first)]
    return None if any(offset % ALIGNMENT for offset in offsets) else buffer


def read_in_place(flow: Flow, tensor: int, first: int) -> bool:
    """Whether rows of a whole tensor can be read where they are: no border is asked for, all rows are aligned."""
    if tensor in flow.fill or tensor in flow.arriving:
        return False
    size = row_bytes(flow.tensors[tensor])
    steps = {flow.readings[at].step for at in flow.readers(tensor, first)}
    return all(size * step % ALIGNMENT == 0 for step in steps)


def given_left(flow: Flow, position: int, tensor: int) -> int:
    """Bytes in front of a row that are part of what a reader is given: its border to the left."""
    layer = flow.layers[position]
    if layer.name != "conv_2d" or not flow.readings[position].beside:
        return 0
    return int(layer.params.window.pad_left) * cell_bytes(flow, tensor)


def cell_bytes(flow: Flow, tensor: int) -> int:
    """Bytes of a pixel."""
    image = flow.tensors[tensor]
    return image.shape[3] * image.dtype.bytes


def outside_tensors(flow: Flow, first: int) -> tuple[int, ...]:
    """The tensors that layers from `first` on read and do not compute, in the order of first use."""
    keys = [tensor.index for at, layer in flow.layers.items() if at >= first for tensor in layer.inputs]
    return tuple(dict.fromkeys(key for key in keys if flow.made_by.get(key, -1) < first))


def arrives(flow: Flow, first: int) -> bool:
    """Whether the group that starts there is given the rows that it reads from outside one by one."""
    return any(key in flow.arriving for key in outside_tensors(flow, first))
