"""What a world is: one way in which people build programs, and the form that a library has there."""

from __future__ import annotations

from typing import ClassVar, Protocol

from tinyedge.artifacts import CLibrary


class World(Protocol):
    """One world. A new one is a file in this room with a `WORLD`, and its templates."""

    name: ClassVar[str]
    title: ClassVar[str]
    """for people"""

    def files(self, library: CLibrary) -> dict[str, bytes]:
        """Path in the exported folder, with `/` -> content; pure and deterministic.

        Raises: UsageError when the world cannot hold such a library
        """
        ...

    def next_steps(self, library: CLibrary) -> tuple[str, ...]:
        """What to type in the exported folder to see the self-test pass."""
        ...
