"""How near the output of a group may come to a tensor that dies in the group, so that no row is overwritten unread."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinyedge.plan.flow import Flow
from tinyedge.plan.rows import row_bytes

Numbers = npt.NDArray[np.int64]
_NEVER = 1 << 40
"""a row that nobody reads"""


def find_lead(flow: Flow, first: int, tensor: int, *, loaded: bool, in_place: Mapping[int, int | None]) -> int:
    """How far the output of the layers from `first` on must start below a tensor from outside that dies in them.

    loaded    rows of the tensor are copied before they are read
    in_place  rows of a call of the last layer -> the in-place offset of its kernel, where that reads the tensor itself:
              between the rows that one call reads and those that it writes; None: it may write before it has read all
    """
    return _find_lead(flow, first, tensor, loaded, tuple(sorted(in_place.items())))


@lru_cache(maxsize=4096)
def _find_lead(flow: Flow, first: int, tensor: int, loaded: bool, offset_of: tuple[tuple[int, int | None], ...]) -> int:
    in_place = dict(offset_of)
    numbers, rows = _reads(flow, first, tensor, loaded=loaded)
    if not len(numbers):
        return 0
    size, reading = row_bytes(flow.tensors[tensor]), flow.readings[flow.last]
    output, calls = flow.layers[flow.last].outputs[0], flow.calls_of[flow.last]
    if reading.kind == "sums":
        calls = calls[-1:]
        ends = np.array([output.bytes], np.int64)
    else:
        ends = np.array([(call.first + call.count) * row_bytes(output) for _, call in calls], np.int64)
    written = np.array([number for number, _ in calls], np.int64)
    offsets = [in_place.get(call.count) for _, call in calls]
    keeps = np.array([offset is not None for offset in offsets])
    following = np.where(keeps, *(np.searchsorted(numbers, written, side=side) for side in ("right", "left")))
    unread = np.append(np.minimum.accumulate(rows[::-1])[::-1], _NEVER)[following]
    lead = max(0, int((ends - unread * size).max()))
    for (_, call), offset in zip(calls, offsets, strict=True):
        if offset is not None:
            lead = max(lead, offset + call.first * row_bytes(output) - reading.first_row(call.first) * size)
    return lead


def _reads(flow: Flow, first: int, tensor: int, *, loaded: bool) -> tuple[Numbers, Numbers]:
    """(numbers of the calls that read a tensor from outside, the first row that each reads), in order."""
    if loaded:
        maker = flow.made_by.get(tensor)
        found = flow.loads.get(tensor, ()) if maker is None else flow.calls_of[maker]
        pairs = [(number, call.first) for number, call in found]
    else:
        pairs = sorted(
            (number, call.first if flow.readings[at].kind == "sums" else flow.readings[at].first_row(call.first))
            for at in flow.readers(tensor, first)
            for number, call in flow.calls_of[at]
        )
    numbers, rows = np.array(pairs, np.int64).reshape(-1, 2).T
    return numbers, rows
