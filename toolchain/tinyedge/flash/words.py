"""What the words of a flash tool mean: how far it came before it failed, and what the user can do about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto


class Reach(Enum):
    """How far a tool came."""

    NOWHERE = auto()
    """it never spoke to the chip"""
    CHIP = auto()
    """it spoke to the chip, and refused or was refused before it wrote"""
    FLASH = auto()
    """it began to erase or to write"""


@dataclass(frozen=True)
class Saying:
    """One row of a tool's table.

    words  a regular expression found in what the tool printed
    reach  how far it came when it says so; None: the words do not tell
    hint   the cure; empty: the words are no complaint. `{option}`, `{probe}` and `{board}` stand for what the board's
           file says under the tool's name in [flash_options], for the probe, and for the board's name
    """

    words: str
    reach: Reach | None = None
    hint: str = ""


def reach_of(table: Sequence[Saying], output: str) -> Reach | None:
    """How far a tool came that printed `output`: whoever wrote has reached the chip; None when no row tells."""
    said = [row.reach for row in _matching(table, output) if row.reach is not None]
    return Reach.FLASH if Reach.FLASH in said else said[0] if said else None


def hint_of(table: Sequence[Saying], output: str) -> str:
    """The cure of the first row that has one; empty when none fits."""
    return next((row.hint for row in _matching(table, output) if row.hint), "")


def _matching(table: Sequence[Saying], output: str) -> list[Saying]:
    return [row for row in table if re.search(row.words, output, re.IGNORECASE | re.MULTILINE)]


ACCESS = r"permission denied|LIBUSB_ERROR_ACCESS|access (is )?denied|insufficient permissions|operation not permitted"
"""how programs say that the system does not let them use a device"""


def port_access(reach: Reach | None = Reach.NOWHERE) -> Saying:
    """The row of tools that work over a serial port which the user may not open."""
    return Saying(
        ACCESS,
        reach,
        "your user may not open the port: `sudo usermod -aG dialout $USER`, then log in again (or a udev rule for it)",
    )


def probe_access(rules: str) -> Saying:
    """The row of tools whose probe the user may not open. `rules`: where its udev rules are."""
    return Saying(
        ACCESS,
        Reach.NOWHERE,
        f"your user may not use the probe: copy its udev rules ({rules}) to /etc/udev/rules.d, "
        "`sudo udevadm control --reload`, and plug it in again; or another program has it open",
    )


def probe_busy(words: str = r"LIBUSB_ERROR_BUSY|resource busy|device or resource busy|already in use") -> Saying:
    """The row of tools whose probe another program has open."""
    return Saying(words, Reach.NOWHERE, "another program has the probe open (an IDE, a gdb server): close that first")
