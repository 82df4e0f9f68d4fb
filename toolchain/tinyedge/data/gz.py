"""A file that may be packed with gzip, unpacked with a limit."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from tinyedge.errors import UsageError

MAGIC = b"\x1f\x8b"
MOST_BYTES = 1 << 30
"""of one file when it is unpacked"""


def read_whole(path: Path, wanted: int = MOST_BYTES) -> bytes:
    """The bytes of a file, unpacked where it is packed. Raises: UsageError when they are more than are wanted or read
    at all, or damaged."""
    most = min(wanted, MOST_BYTES)
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == MAGIC
        with gzip.open(path) if packed else path.open("rb") as opened:
            data = opened.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"`{path}` is damaged: {error}", hint="copy it again") from error
    if len(data) > most:
        told = "as its header says" if wanted <= MOST_BYTES else "which is the most that is read"
        raise UsageError(f"`{path}` holds more than {most:,} B, {told}", hint="copy it again, or give fewer samples")
    return data


def unpacked_head(path: Path, count: int) -> bytes:
    """The first bytes of a file, unpacked; empty when it cannot be unpacked."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == MAGIC
        with gzip.open(path) if packed else path.open("rb") as opened:
            return opened.read(count)
    except (OSError, EOFError, zlib.error):
        return b""
