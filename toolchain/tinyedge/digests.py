"""Digests: what names the things that results depend on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def digest(*parts: bytes | str) -> str:
    """SHA-256 over length-prefixed parts, as 64 hex digits."""
    state = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little") + data)
    return state.hexdigest()


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no white space: the text that digests are taken of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def file_digest(paths: Iterable[Path]) -> str:
    """Digest of the names and contents of files."""
    return digest(*(part for path in sorted(paths) for part in (path.name, path.read_bytes())))
