"""Models as a C library: what people's own programs are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyedge.artifacts.project import FirmwareProject


@dataclass(frozen=True)
class LibraryModel:
    """A model of a library."""

    name: str
    symbol: str
    """what its C names start with; its header is `<symbol>.h`, its self-test `<symbol>_selftest()`"""
    digest: str
    """first digits of the SHA-256 of its file"""
    arena_bytes: int
    state_bytes: int
    constant_bytes: int
    """weights and tables, in flash"""
    input_rows: bool = False
    """the rows of its input are given one by one"""


@dataclass(frozen=True, eq=False)
class CLibrary:
    """One or several models as C, ready to be put into a project of somebody's world."""

    name: str
    """a C identifier; of one model, its symbol"""
    models: tuple[LibraryModel, ...]
    files: Mapping[str, bytes]
    """name of a C or assembler file -> content, all for one folder"""
    core: str
    """that the kernels were chosen for"""
    portable: bool
    """whether they are plain C99, which runs on any core"""
    project: FirmwareProject
    """the measuring firmware of the same models"""

    @property
    def sources(self) -> tuple[str, ...]:
        """The files to compile."""
        return tuple(sorted(name for name in self.files if name.endswith((".c", ".S"))))

    @property
    def has_assembler(self) -> bool:
        return any(name.endswith(".S") for name in self.files)
