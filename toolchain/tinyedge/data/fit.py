"""Data brought to the input of a model that exists: what a table would say of it is read off the input's shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tinyedge.data.contract import Arrays, Recordings
from tinyedge.data.files import source_digest
from tinyedge.data.load import load_recordings, read_data_table
from tinyedge.data.table import DataTable
from tinyedge.data.windows import cut
from tinyedge.graph.ir import Array


def load_for(path: Path, table: DataTable | None, shape: Sequence[int]) -> Arrays:
    """The samples of a path for an input of a shape without the batch: those of its test where the format has one.

    Files of time that are not as long as the input are cut into windows that are, without overlap; images of another
    size are resized. Notes say so. Arrays stay as they are. What `table` states goes first.

    Raises: UsageError as the formats do
    """
    chosen = replace(table, source=path) if table is not None else DataTable(source=path)
    if path.suffix == ".toml" and path.is_file():
        chosen = read_data_table(path)
    chosen, notes = _sized(chosen, shape), []
    recordings = load_recordings(chosen)
    of_any_length = recordings.is_timed and not any(isinstance(each, np.ndarray) for each in recordings.inputs.values())
    if of_any_length and chosen.window is None and (window := _window(recordings, shape)) is not None:
        chosen = replace(chosen, window=window)
        notes.append(f"recordings are cut into windows of {window:,} samples, as the model takes them")
    numbers = [number for number in range(recordings.count) if recordings.part(number) == "test"]
    groups = [recordings.group(number) for number in range(recordings.count)]
    arrays = cut(recordings, numbers or range(recordings.count), chosen, groups, source_digest(chosen.source))
    if numbers and len(numbers) < recordings.count:
        notes.append(f"of {recordings.count:,} recordings, the {len(numbers):,} of the test are taken")
    return replace(arrays, notes=(*arrays.notes, *notes))


def _sized(table: DataTable, shape: Sequence[int]) -> DataTable:
    """The table with the size of images, where the input may be one: only folders of images look at it."""
    if len(shape) != 3 or shape[2] not in (1, 3) or table.size is not None:
        return table
    return replace(table, size=(shape[0], shape[1]), grey=table.grey or shape[2] == 1)


def _window(recordings: Recordings, shape: Sequence[int]) -> int | None:
    """How long windows have to be; None where the recordings are as long as the input, or do not divide it."""
    (values,) = list(recordings.inputs.values())[:1]
    first: Array = np.asarray(values[0])
    instant = math.prod(first.shape[1:])
    elements = math.prod(shape)
    if elements % instant:
        return None
    fits = all(np.asarray(value).size == elements for value in values)
    return None if fits else elements // instant
