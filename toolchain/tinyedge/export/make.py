"""make: the measuring firmware as `tinyedge build` writes it, which builds with `make` alone."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.artifacts import CLibrary


class Make:
    """The world `make`."""

    name: ClassVar[str] = "make"
    title: ClassVar[str] = "make"

    def files(self, library: CLibrary) -> dict[str, bytes]:
        return dict(library.project.files)

    def next_steps(self, library: CLibrary) -> tuple[str, ...]:
        del library
        return ("make",)


WORLD = Make()
