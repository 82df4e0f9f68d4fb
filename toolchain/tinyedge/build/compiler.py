"""One interface to the compilers: what to run, with which flags, and what it calls itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tinyedge.build.flags import Flags
from tinyedge.errors import InternalError


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
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Its version number, e.g. `12.2.1`."""
        return version_number(self.identity)

    @property
    def title(self) -> str:
        """Name and version, for reports."""
        return f"{self.name} {self.version}"

    def compile_command(self, source: str, object_file: str, include_dirs: Sequence[str]) -> list[str]:
        """Compiles one C or assembler source."""
        if PurePosixPath(source).suffix not in (".c", ".S"):
            raise InternalError(f"no rule to compile `{source}`")
        includes = [f"-I{folder}" for folder in include_dirs]
        return [*self.driver, *self.flags.compile, *includes, "-c", source, "-o", object_file]

    def link_command(self, objects: Sequence[str], linker_script: str, elf: str) -> list[str]:
        """Links the image; libraries come last. `linker_script` is empty for the host."""
        script = ["-T", linker_script] if linker_script else []
        return [*self.driver, *objects, *script, *self.flags.link, "-o", elf]


def version_number(text: str) -> str:
    """The version in what a compiler prints for `--version`; what stands in brackets is the packager's.

    >>> version_number("arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205")
    '12.2.1'
    """
    match = re.search(r"\d+(\.\d+)+", re.sub(r"\([^)]*\)", "", text))
    return match[0] if match else "unknown"
