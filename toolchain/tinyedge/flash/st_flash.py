"""st-flash of stlink-tools: STM32 boards with an ST-Link."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of
from tinyedge.flash.words import Reach, Saying, probe_access, probe_busy

_SAYINGS = (
    Saying(r"Erasing|Flash page at|Starting Flash write|pages written|EraseFlash", Reach.FLASH),
    Saying(
        r"read protect|RDP|memory is locked|option bytes",
        None,
        "the chip is protected: `st-flash --connect-under-reset erase`, or clear RDP with STM32CubeProgrammer, which "
        "erases all of it",
    ),
    probe_access("49-stlinkv2-1.rules and its kind, of stlink-tools"),
    probe_busy(),
    Saying(r"Couldn't find any ST-Link", Reach.NOWHERE, "connect the ST-Link; `st-info --probe` shows those here"),
    Saying(
        r"Failed to connect to target|Failed to parse flash type|unknown chip id|Can not connect",
        Reach.NOWHERE,
        "the ST-Link is there, the chip does not answer it: check that the board has power, and SWDIO, SWCLK and GND; "
        "hold its reset button while it starts",
    ),
)


class StFlashFlasher(CommandFlasher):
    """`st-flash write`, which reads back what it wrote; the chip names itself, so a board file says nothing.

    Probe: the serial number of the ST-Link.

    Source: `st-flash --help` of 1.7.0; stlink, src/common.c for the words after verifying
    """

    name = "st-flash"
    reaches = "STM32 with an ST-Link"
    option_is = "none"
    probe_is = "serial number of the ST-Link"
    programs = ("st-flash",)
    install = "`apt-get install stlink-tools`"
    proofs = ("Flash written and verified! jolly good!",)
    sayings = _SAYINGS

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write, verify, reset."""
        del board
        chosen = ["--serial", probe] if probe else []
        return [["st-flash", "--reset", *chosen, "--format", "ihex", "write", str(file_of(image, "hex"))]]


FLASHER = StFlashFlasher
