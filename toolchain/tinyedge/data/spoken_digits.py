"""The layout of the free spoken digit set: `{digit}_{speaker}_{take}.wav`, in the folder or in `recordings/`.

Source: the description of the data set in its README (Zohar Jackson and others, free-spoken-digit-dataset)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tinyedge.data.classes import SOUNDS, Entry
from tinyedge.data.contract import Recordings
from tinyedge.data.files import list_files
from tinyedge.data.sounds import read_sounds
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError

_NAME = re.compile(r"([0-9])_([^_/]+)_([0-9]+)\.wav", re.IGNORECASE)
_FOLDER = "recordings"


class _SpokenDigits:
    title = "spoken digits"
    layout = "`{digit}_{speaker}_{take}.wav`, also in `recordings/`"
    split = "the speaker is the subject"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return any(_NAME.fullmatch(PurePosixPath(name).name) for name in _sounds(names))

    def read(self, path: Path, table: DataTable) -> Recordings:
        entries, speakers = [], []
        for file in _sounds(list_files(path)):
            named = _NAME.fullmatch(PurePosixPath(file).name)
            if named is None:
                raise UsageError(
                    f"`{path / file}` is a stray file: the others are called `{{digit}}_{{speaker}}_{{take}}.wav`",
                    hint="rename it, or move it away",
                )
            entries.append(Entry(file, named[1]))
            speakers.append(named[2])
        return read_sounds(path, entries, table, speakers)


def _sounds(names: Sequence[str]) -> list[str]:
    """The .wav that lie in the folder itself, or all in `recordings/`; none where there are other folders."""
    files = [name for name in names if PurePosixPath(name).suffix.lower() in SOUNDS]
    folders = {name.rpartition("/")[0] for name in files}
    return files if folders in ({""}, {_FOLDER}) else []


FORMAT = _SpokenDigits()
