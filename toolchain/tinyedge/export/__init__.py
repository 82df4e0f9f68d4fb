"""Projects for the worlds people build in: a library of models in the form that each expects, one file a world."""

from __future__ import annotations

from functools import cache

from tinyedge.discovery import collect
from tinyedge.errors import UsageError
from tinyedge.export.contract import World
from tinyedge.export.zip import to_zip

__all__ = ["World", "find_world", "to_zip", "worlds"]


@cache
def worlds() -> dict[str, World]:
    """All worlds by name, in the order of their names."""
    found: list[World] = collect(__name__, "WORLD")
    return {world.name: world for world in sorted(found, key=lambda world: world.name)}


def find_world(name: str) -> World:
    """The world of that name. Raises: UsageError when there is none."""
    if name not in worlds():
        hint = "add `--zip` to the one you want in an archive" if name == "zip" else f"choose of {', '.join(worlds())}"
        raise UsageError(f"there is no world `{name}`", hint=hint)
    return worlds()[name]
