"""Recordings as samples of one shape: cut into windows, after it was decided which part they are in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyedge.data.contract import Arrays, Recordings
from tinyedge.data.table import DataTable
from tinyedge.data.unequal import odd_one
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MOST_SAMPLE_BYTES = 4 << 30
"""of all windows together"""


def cut(
    recordings: Recordings, numbers: Sequence[int], table: DataTable, groups: Sequence[str], digest: str = ""
) -> Arrays:
    """The samples of the recordings of these numbers, in their order; `groups` has the group of each recording.

    Raises: UsageError when they differ in shape, or one is shorter than the window
    """
    labels = None if recordings.labels is None else recordings.labels[list(numbers)]
    counts = np.ones(len(numbers), np.int64)
    inputs: dict[str, Array] = {}
    for name, values in recordings.inputs.items():
        if table.window is None or not recordings.is_timed:
            inputs[name] = _stacked(name, values, numbers, recordings)
        else:
            windows = _windows(values, numbers, table, recordings)
            counts = np.array([len(each) for each in windows])
            inputs[name] = np.concatenate(windows)
    origin = np.repeat(np.arange(len(numbers)), counts)
    return Arrays(
        inputs=inputs,
        labels=None if labels is None else labels[origin],
        class_names=recordings.class_names,
        sources=tuple(recordings.sources[numbers[i]] for i in origin.tolist()),
        groups=tuple(groups[numbers[i]] for i in origin.tolist()),
        rate_hz=recordings.rate_hz,
        axes=recordings.axes,
        digest=digest,
        notes=recordings.notes,
    )


def _stacked(name: str, values: Array | Sequence[Array], numbers: Sequence[int], recordings: Recordings) -> Array:
    """Recordings as they are. Raises: UsageError when they differ in shape."""
    if isinstance(values, np.ndarray):
        whole = len(numbers) == len(values) and list(numbers) == list(range(len(values)))
        return values if whole else values[list(numbers)]
    if (odd := odd_one([values[number].shape for number in numbers])) is not None:
        wrong, usual = (numbers[at] for at in odd)
        what = "`window`, e.g. `window = 128`" if recordings.is_timed else "`size`, e.g. `size = [32, 32]`"
        raise UsageError(
            f"`{recordings.sources[wrong]}` is {list(values[wrong].shape)}, "
            f"`{recordings.sources[usual]}` is {list(values[usual].shape)}: samples have one shape",
            hint=f"{what} in [data] makes them equal",
        )
    return np.stack([values[number] for number in numbers])


def _windows(
    values: Array | Sequence[Array], numbers: Sequence[int], table: DataTable, recordings: Recordings
) -> list[Array]:
    """The windows [count, window, ...] of each recording; what is left behind the last one is no sample."""
    assert table.window is not None
    try:
        window = table.samples(table.window, recordings.rate_hz)
        stride = table.samples(table.stride if table.stride is not None else table.window, recordings.rate_hz)
    except ValueError as error:
        raise UsageError(str(error), hint="`rate_hz` in [data]") from None
    found = []
    total = 0
    for number in numbers:
        value = np.asarray(values[number])
        if len(value) < window:
            if not table.pad:
                raise UsageError(
                    f"`{recordings.sources[number]}` has {len(value):,} samples, the window {window:,}",
                    hint="`pad = true` in [data] puts zeros behind it; else a shorter `window`, or leave the file out",
                )
            value = np.concatenate([value, np.zeros((window - len(value), *value.shape[1:]), value.dtype)])
        cut_out = np.moveaxis(np.lib.stride_tricks.sliding_window_view(value, window, axis=0), -1, 1)[::stride]
        total += cut_out.size * cut_out.itemsize
        if total > MOST_SAMPLE_BYTES:
            raise UsageError(
                f"the windows take more than {MOST_SAMPLE_BYTES:,} B: {window:,} samples each, one every {stride:,}",
                hint="a larger `stride`, a smaller `window`, or fewer recordings",
            )
        found.append(cut_out)
    return found
