"""A linked firmware, and what it takes of the board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyedge.artifacts.display import Displayed
from tinyedge.artifacts.plan import Prepared
from tinyedge.artifacts.project import FirmwareProject


@dataclass(frozen=True)
class SymbolSize:
    name: str
    section: str
    bytes: int


@dataclass(frozen=True)
class SizeTable:
    """Flash and RAM of an image, by section and by symbol."""

    flash_bytes: int
    ram_bytes: int
    flash_limit_bytes: int
    ram_limit_bytes: int
    sections: tuple[tuple[str, int, int], ...]
    """(name, flash bytes, RAM bytes); .data counts in both"""
    symbols: tuple[SymbolSize, ...]
    """largest first"""
    constant_bytes: int = 0
    """of flash: named data that stays there, as weights, tables or a model file"""


@dataclass(frozen=True)
class Image:
    """A linked firmware: the files on disk, their sizes, and what they were made by."""

    elf: Path
    hex: Path | None
    bin: Path | None
    uf2: Path | None
    size: SizeTable
    compiler: str
    """name and version, e.g. `zig 0.17.0`"""
    project_digest: str
    digest: str
    """SHA-256 of the ELF"""


@dataclass(frozen=True)
class ArenaProof:
    """How large the arena of an interpreter is, and how that is known."""

    bytes: int
    origin: str
    """in a sentence"""
    fails_bytes: int | None = None
    """the next smaller size, which was tried and failed; None where nothing was tried"""
    message: str = ""
    """what the interpreter said to that"""


@dataclass(frozen=True, eq=False, repr=False)
class Built(Displayed):
    """A firmware project and its image."""

    prepared: Prepared
    project: FirmwareProject
    folder: Path
    image: Image
    arena: ArenaProof | None = None
    """how the arena of an interpreter was sized; None: it was planned"""
    model_index: int | None = None
    """which of the models of the firmware `prepared` is; None: it has no other"""
    model_count: int = 1

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.project.model} for {self.project.board.name}: {self.image.elf}>"

    @property
    def image_id(self) -> str:
        """The digits of the project's digest that the firmware's banner carries."""
        return self.project.digest[:16]
