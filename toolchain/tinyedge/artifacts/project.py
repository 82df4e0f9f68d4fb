"""A firmware project: all its files, before anything is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyedge.boards import Board
from tinyedge.paths import write_whole


@dataclass(frozen=True, eq=False)
class Library:
    """Sources of others that a project carries and compiles: files in a folder of their own below the project."""

    name: str
    """with its version, for reports"""
    files: Mapping[str, bytes]
    """path within the project -> content"""
    sources: Mapping[str, str]
    """C and C++ files to compile -> optimization, e.g. `-Os`"""
    include_dirs: tuple[str, ...]
    """within the project; what they include gives no warnings"""
    defines: tuple[str, ...]
    """for the library and for what includes its headers, e.g. `NDEBUG`"""


@dataclass(frozen=True)
class FirmwareProject:
    """All files of a firmware project, complete enough for `make` in its folder."""

    model: str
    board: Board
    runtime: str
    files: Mapping[str, bytes]
    """path within the project, with `/`, -> content"""
    sources: tuple[str, ...]
    """the C, C++ and assembler files to compile, keys of `files`; those of the library too"""
    include_dirs: tuple[str, ...]
    linker_script: str
    """key of `files`; empty for the host board"""
    arena_bytes: int
    digest: str
    """over all files; the firmware's banner carries its first 16 digits"""
    library: Library | None = None
    """its files are among `files`"""
    state_bytes: int = 0
    """beside the arena: what inferences leave for the next"""

    def write(self, folder: Path) -> None:
        """Write every file below `folder`; files that already hold the same bytes are left untouched.

        What another version of the library left in its folder is removed: a header of it might be found first.
        """
        if self.library is not None:
            self._remove_stale(folder, self.library.include_dirs[0])
        for name, content in sorted(self.files.items()):
            path = folder / name
            if path.is_file() and path.read_bytes() == content:
                continue
            write_whole(path, content)

    def _remove_stale(self, folder: Path, library: str) -> None:
        for path in sorted((folder / library).rglob("*")):
            if path.is_file() and path.relative_to(folder).as_posix() not in self.files:
                path.unlink()
