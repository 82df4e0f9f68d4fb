"""Several arrays in a .npz file, as numpy.savez writes it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from tinyedge.data.npy import MOST_BYTES, read_array
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_MOST_ARRAYS = 256
_MAGIC = b"PK\x03\x04"
_SUFFIX = ".npy"


class _Npz:
    title = "a .npz"

    def recognizes(self, path: Path, head: bytes) -> bool:
        return head.startswith(_MAGIC)

    def read(self, path: Path) -> Mapping[str, Array]:
        try:
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.infolist() if member.filename.endswith(_SUFFIX)]
                if not members:
                    raise UsageError(
                        f"`{path}` is a zip archive without a .npy in it", hint="write it with numpy.savez"
                    )
                if len(members) > _MOST_ARRAYS:
                    raise UsageError(f"`{path}` holds {len(members):,} arrays; at most {_MOST_ARRAYS} are read")
                if (whole := sum(member.file_size for member in members)) > MOST_BYTES:
                    raise UsageError(
                        f"`{path}` unpacks to {whole:,} B; at most {MOST_BYTES:,} B are read", hint="give fewer samples"
                    )
                return {member.filename.removesuffix(_SUFFIX): _read(archive, member, path) for member in members}
        except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError) as error:
            raise UsageError(f"`{path}` is damaged: {error}", hint="write it again with numpy.savez") from error


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Array:
    with archive.open(member) as stream:
        return read_array(stream, member.file_size, f"`{member.filename.removesuffix(_SUFFIX)}` of `{path}`")


FORMAT = _Npz()
