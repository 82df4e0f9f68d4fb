"""The native helper: the block hook and the registers, in C."""

from __future__ import annotations

from pathlib import Path

from tinyedge.native import shared_library

SOURCES = tuple(sorted(Path(__file__).with_name("native").glob("*.[ch]")))


def native_helper() -> Path:
    """The shared library of `SOURCES`. Raises: ToolError as `shared_library` does."""
    return shared_library("unicorn", {path.name: path.read_bytes() for path in SOURCES})
