"""Data that models are calibrated and judged with: one format a file, found by what a path holds."""

from tinyedge.data.contract import Arrays, Format
from tinyedge.data.load import load_data

__all__ = ["Arrays", "Format", "load_data"]
