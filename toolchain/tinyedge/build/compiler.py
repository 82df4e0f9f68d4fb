"""One interface to the compilers: what to run, with which flags, and what it calls itself."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from tinyedge.artifacts import Library
from tinyedge.build.flags import SMALL, SMALL_FOLDERS, Flags
from tinyedge.errors import InternalError

CXX_SUFFIXES = (".cc", ".cpp")


@dataclass(frozen=True)
class Compiler:
    """A compiler driver set up for one core. Commands run in the project folder, with relative paths."""

    name: str
    """`zig`, `gcc` or `cc`"""
    identity: str
    """all it says of its version: part of the key of every cached object"""
    driver: tuple[str, ...]
    """the words before the flags"""
    flags: Flags
    cxx_driver: tuple[str, ...] = ()
    """the same for C++, where they are others"""

    @contextlib.contextmanager
    def at_work(self, *, linking: bool = False) -> Iterator[Mapping[str, str]]:
        """The variables that its commands need, for the time of the block, in which it links or only compiles.

        Raises: OSError, UsageError when what it needs cannot be had
        """
        del linking
        yield {}

    @property
    def version(self) -> str:
        """Its version number, e.g. `12.2.1`."""
        return version_number(self.identity)

    @property
    def title(self) -> str:
        """Name and version, for reports."""
        return f"{self.name} {self.version}"

    def compile_command(
        self, source: str, object_file: str, include_dirs: Sequence[str], library: Library | None = None
    ) -> list[str]:
        """Compiles one C, C++ or assembler source of a project, or of the library it carries."""
        flags = self.source_flags(source, include_dirs, library)
        driver = self.cxx_driver if self.cxx_driver and is_cxx(source) else self.driver
        return [*driver, *flags, "-c", source, "-o", object_file]

    def source_flags(self, source: str, include_dirs: Sequence[str], library: Library | None = None) -> list[str]:
        """The flags for one source. Raises: InternalError for a kind of file that cannot be compiled."""
        suffix = PurePosixPath(source).suffix
        if suffix not in (".c", ".S", *CXX_SUFFIXES):
            raise InternalError(f"no rule to compile `{source}`")
        cxx = is_cxx(source)
        small = SMALL if PurePosixPath(source).parts[0] in SMALL_FOLDERS else ()
        own = [*small, *(f"-I{folder}" for folder in include_dirs)]
        if library is None:
            return [*(self.flags.cxx if cxx else self.flags.compile), *own]
        defines = [f"-D{define}" for define in library.defines]
        if source in library.sources:
            level = library.sources[source]
            foreign = [f"-I{folder}" for folder in library.include_dirs]
            return [*(self.flags.library_cxx if cxx else self.flags.library_c), level, *defines, *foreign]
        system = [word for folder in library.include_dirs for word in ("-isystem", folder)]
        return [*(self.flags.cxx if cxx else self.flags.compile), *defines, *own, *system]

    def link_command(
        self, objects: Sequence[str], linker_script: str, elf: str, library: Library | None = None
    ) -> list[str]:
        """Links the image; libraries come last. `linker_script` is empty for the host."""
        script = ["-T", linker_script] if linker_script else []
        libraries = self.flags.library_link if library is not None else ()
        return [*self.driver, *objects, *script, *self.flags.link, *libraries, "-o", elf]


def is_cxx(source: str) -> bool:
    return PurePosixPath(source).suffix in CXX_SUFFIXES


def version_number(text: str) -> str:
    """The version in what a compiler prints for `--version`; what stands in brackets is the packager's.

    >>> version_number("arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205")
    '12.2.1'
    """
    match = re.search(r"\d+(\.\d+)+", re.sub(r"\([^)]*\)", "", text))
    return match[0] if match else "unknown"
