"""An exported folder as a .zip that is the same to the byte whenever and wherever it is made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_TIME = (1980, 1, 1, 0, 0, 0)
"""the earliest a .zip can state"""
_UNIX = 3
_MODE = 0o100644 << 16


def to_zip(folder: str, files: Mapping[str, bytes]) -> bytes:
    """An archive with all files below `folder`, which does not depend on the archive's own name.

    Stored, not deflated: what zlib makes of the same bytes differs between its versions.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as written:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            written.writestr(entry, content)
    return archive.getvalue()
