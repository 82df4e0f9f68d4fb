"""Data that models are trained, calibrated and judged with: one format a file, found by what a path holds."""

from tinyedge.data.contract import Arrays, Format, Parts, Recordings, class_weights
from tinyedge.data.files import source_digest
from tinyedge.data.fit import load_for
from tinyedge.data.load import load_data, load_parts, load_recordings
from tinyedge.data.table import DataTable
from tinyedge.data.targets import class_numbers, target_values

__all__ = [
    "Arrays",
    "DataTable",
    "Format",
    "Parts",
    "Recordings",
    "class_numbers",
    "class_weights",
    "load_data",
    "load_for",
    "load_parts",
    "load_recordings",
    "source_digest",
    "target_values",
]
