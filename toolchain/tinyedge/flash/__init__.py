"""Flash tools, one file each behind one interface, and the choice among them."""

from __future__ import annotations

from tinyedge.boards import Board
from tinyedge.discovery import collect
from tinyedge.errors import ToolError, UsageError
from tinyedge.flash.contract import Flasher
from tinyedge.tables import nearest

__all__ = ["FLASHERS", "choose_flasher", "flasher", "way_without_probe"]

FLASHERS: dict[str, type[Flasher]] = {tool.name: tool for tool in collect(__name__, "FLASHER")}
"""by the name that boards and `--tool` use"""


def flasher(name: str) -> Flasher:
    """The tool of that name. Raises: UsageError, with the nearest name, when there is none."""
    if name not in FLASHERS:
        raise UsageError(f"there is no flash tool `{name}`", hint=nearest(name, FLASHERS))
    return FLASHERS[name]()


def way_without_probe(board: Board, tool: Flasher) -> str:
    """How to flash a board that carries no probe when `tool` needs one; empty where one is carried, or none needed.

    The tools of a board are in order of preference: one with a probe of its own is flashed through it.
    """
    first = flasher(board.flashers[0])
    if first.needs_probe or not tool.needs_probe:
        return ""
    availability = first.available()
    how = f"`--tool {first.name}` needs none"
    if not availability.version:
        how = f"`{first.name}` needs none: {availability.install}"
    return f"board `{board.name}` has no debug probe of its own, and {how}"


def choose_flasher(board: Board, name: str | None = None, *, installed: bool = True) -> Flasher:
    """The tool `name`, or the first of the board's that is installed. With `installed` False it need not be.

    Raises: UsageError when the board is not flashed by it, or by nothing; ToolError that lists the tools that are
    missing and how to get them
    """
    if name is not None:
        chosen = flasher(name)
        if name not in board.flashers:
            listed = ", ".join(f"`{tool}`" for tool in board.flashers) or "nothing"
            raise UsageError(f"board `{board.name}` is not flashed by `{name}`", hint=f"it is flashed by {listed}")
        candidates = [chosen]
    else:
        candidates = [flasher(tool) for tool in board.flashers]
    if not candidates:
        usable = ", ".join(f"`{emulator}`" for emulator in board.emulators) or "nothing"
        raise UsageError(f"board `{board.name}` cannot be flashed", hint=f"`tinyedge run`: it is emulated by {usable}")
    missing = []
    for candidate in candidates:
        availability = candidate.available()
        if availability.version:
            return candidate
        missing.append((candidate.name, availability.install))
    if not installed:
        return candidates[0]
    width = max(len(tool) for tool, _ in missing)
    lines = "".join(f"\n       {tool.ljust(width)}  {install}" for tool, install in missing)
    raise ToolError(
        f"no tool that flashes board `{board.name}` is installed; any of these does:{lines}", hint=missing[0][1]
    )
