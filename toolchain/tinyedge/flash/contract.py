"""What a flash tool is: the commands for an image and a board as pure data, and what proves that they worked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.errors import DeviceError, InternalError, UsageError

UNTOUCHED = "nothing was touched"
TIMEOUT_S = 300.0
"""how long a tool may take to write an image"""


@dataclass(frozen=True)
class Availability:
    """Whether a tool is here, in which version, and how to get it."""

    version: str
    """empty when it is not here"""
    install: str
    """the way to get it, as something that can be typed where there is such a thing"""


class Flasher(Protocol):
    """One flash tool. `commands`, `files` and `describe` are pure: they look at their arguments alone."""

    name: str
    """as board files and `--tool` call it"""
    verifies: bool
    """whether `write` compares every byte after writing it"""
    reaches: str
    """for people: which boards or probes"""
    option_is: str
    """for people: the keys of [flash_options] it needs, and what they hold"""
    probe_is: str
    """for people: what `--probe` names"""
    install: str
    """for people: how to get it, as the documentation says it; `available` has the words for this installation"""
    needs_probe: bool
    """whether it works through a debug probe, which not every board carries"""

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """The command lines, in order; none for a tool that is no program.

        probe  which of several: the serial number of a debug probe, the port of a bootloader, the folder of a drive,
               the address of a gdb server; empty for the only one

        Raises: UsageError when the board's file lacks what the tool needs, or the image has no such file
        """
        ...

    def files(self, image: Image, board: Board, probe: str) -> dict[Path, str]:
        """Scripts the commands read, which are written before they run."""
        ...

    def describe(self, image: Image, board: Board, probe: str) -> list[str]:
        """What `write` would do, line by line."""
        ...

    def find_probe(self, board: Board, console_port: str) -> str:
        """The probe where the user named none; empty where the tool finds it. Looks, and touches nothing.

        Raises: DeviceError when it is not connected; UsageError when it has to be named
        """
        ...

    def available(self) -> Availability:
        """Whether the tool is here."""
        ...

    def write(self, image: Image, board: Board, probe: str, timeout_s: float = TIMEOUT_S) -> None:
        """Write the image to the board, verify it where the tool can, and start it.

        Raises: FlashError that says what was touched, or another error while nothing was: ToolError when the tool is
        missing, DeviceError when the board is not there
        """
        ...


class FlashError(DeviceError):
    """Writing failed. The last line of `what` says what was touched; `reached` is false when the chip was not."""

    def __init__(self, what: str, touched: str, *, hint: str = "", reached: bool = True) -> None:
        super().__init__(f"{what}\n       {touched}", hint=hint)
        self.reached = reached


def half_written(board: Board) -> str:
    """What is to be said of a board whose tool broke off."""
    return f"the flash of board `{board.name}` may be written in part: flash it again before you use it"


def option(board: Board, key: str) -> str:
    """The value of `key` in [flash_options]. Raises: UsageError when the board's file lacks it."""
    if key not in board.flash_options:
        raise UsageError(
            f"board `{board.name}` has no `{key}` in [flash_options]", hint=f"add it to boards/{board.name}.toml"
        )
    return board.flash_options[key]


def file_of(image: Image, kind: Literal["elf", "hex", "bin", "uf2"]) -> Path:
    """The image as a file of that kind. Raises: UsageError when it was not made."""
    paths = {"elf": image.elf, "hex": image.hex, "bin": image.bin, "uf2": image.uf2}
    path = paths[kind]
    if path is None:
        raise UsageError(f"the image {image.elf.name} was not written as .{kind}", hint="choose another tool: `--tool`")
    return path


def usb_ids_of(board: Board, key: str) -> tuple[tuple[int, int], ...]:
    """The USB ids, `vendor:product` separated by blanks, under `key` in [flash_options]."""
    try:
        pairs = [text.split(":") for text in option(board, key).split()]
        return tuple((int(vendor, 16), int(product, 16)) for vendor, product in pairs)
    except ValueError as error:
        raise InternalError(f"boards/{board.name}.toml: `{key}` holds no USB ids as in `2341:005a`") from error
