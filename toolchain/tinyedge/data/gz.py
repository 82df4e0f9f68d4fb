"""A file that may be packed with gzip, unpacked with a limit."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from tinyedge.errors import UsageError

MAGIC = b"\x1f\x8b"
MOST_BYTES = 1 << 30
"""of one file when it is unpacked"""


def read_whole(path: Path) -> bytes:
    """The bytes of a file, unpacked where it is packed. Raises: UsageError when they are too many, or damaged."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == MAGIC
        with gzip.open(path) if packed else path.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"`{path}` is damaged: {error}", hint="copy it again") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"`{path}` unpacks to more than {MOST_BYTES:,} B", hint="give fewer samples")
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
