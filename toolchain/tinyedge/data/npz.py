"""Several arrays in a .npz file, as numpy.savez writes it."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

from tinyedge.data.arrays import TEXTS, recordings_of
from tinyedge.data.contract import Recordings
from tinyedge.data.npy import MOST_BYTES, read_array
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_MOST_ARRAYS = 256
_MAGIC = b"PK\x03\x04"
_SUFFIX = ".npy"


class _Npz:
    title = "a .npz"
    layout = "an array for each input, and `labels`; also `groups`, `split`, `class_names`"
    split = "`groups` has the subject of each row, `split` its part"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return head.startswith(_MAGIC)

    def read(self, path: Path, table: DataTable) -> Recordings:
        try:
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.infolist() if member.filename.endswith(_SUFFIX)]
                if not members:
                    raise UsageError(
                        f"`{path}` is a zip archive without a .npy in it",
                        hint="unpack it, and name the folder; or write a .npz with numpy.savez",
                    )
                if len(members) > _MOST_ARRAYS:
                    raise UsageError(f"`{path}` holds {len(members):,} arrays; at most {_MOST_ARRAYS} are read")
                if (whole := sum(member.file_size for member in members)) > MOST_BYTES:
                    raise UsageError(
                        f"`{path}` unpacks to {whole:,} B; at most {MOST_BYTES:,} B are read", hint="give fewer samples"
                    )
                arrays = {member.filename.removesuffix(_SUFFIX): _read(archive, member, path) for member in members}
        except (zipfile.BadZipFile, zlib.error, OSError, NotImplementedError, RuntimeError, EOFError) as error:
            raise UsageError(f"`{path}` is damaged: {error}", hint="write it again with numpy.savez") from error
        return recordings_of(arrays, path, table)


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Array:
    name = member.filename.removesuffix(_SUFFIX)
    with archive.open(member) as stream:
        return read_array(stream, member.file_size, f"`{name}` of `{path}`", may_be_text=name in TEXTS)


FORMAT = _Npz()
