"""A cache of its own for each use of zig, and the libraries that zig makes kept where they are checked.

zig believes what lies in its cache: a bit flipped in a library there (compiler-rt, the stubs of a libc) gives another
program without a word, and a library cut short fails at every link from then on. So zig never sees the same cache
twice. What takes it 20 seconds to make anew is an entry of a `Store`, as everything that tinyedge keeps.
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tinyedge.cache import user_store
from tinyedge.digests import digest
from tinyedge.paths import cache_dir, scratch_folder

_KEPT = ("b", "h", "o")
"""folders of zig's cache with libraries and what they were made of; the others serve to make them"""
_INTERMEDIATE = "_zcu.o"
"""ends the name of an object that stands in a library too"""
_MOST_ENTRIES = 64
_MODE_SHIFT = 16
"""of the permissions in a zip's attributes"""


@contextlib.contextmanager
def zig_cache(*use: str) -> Iterator[Mapping[str, str]]:
    """The variables that give zig a cache of its own within the block.

    use  all that determines which libraries zig makes for a link: it finds there those that it made for the same use
         before, and new ones are kept unless the block fails. Without it, the cache begins empty, and nothing is kept.

    Raises: OSError when the user's cache cannot be written; UsageError when others can write it
    """
    store = user_store(cache_dir() / "zig-libraries")
    key = digest(*use)
    with scratch_folder("zig", store.folder) as folder:
        found = _unpack(packed, folder) if use and (packed := store.get(key)) is not None else set()
        yield {"ZIG_GLOBAL_CACHE_DIR": str(folder), "ZIG_LOCAL_CACHE_DIR": str(folder)}
        if use and (made := _libraries(folder)) - found:
            store.put(key, _pack(folder, made))
            store.trim(_MOST_ENTRIES)


def _libraries(folder: Path) -> set[str]:
    """The files worth keeping of a cache that zig has used, by their paths in it."""
    files = (path for name in _KEPT for path in (folder / name).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in files if not path.name.endswith(_INTERMEDIATE)}


def _pack(folder: Path, names: set[str]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in sorted(names):
            file = folder / name
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (file.stat().st_mode & 0o777) << _MODE_SHIFT  # zig runs what it made of its objcopy
            archive.writestr(entry, file.read_bytes())
    return stream.getvalue()


def _unpack(packed: bytes, folder: Path) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            (folder / entry.filename).chmod(entry.external_attr >> _MODE_SHIFT)
        return set(archive.namelist())
