"""st-flash of stlink-tools: STM32 boards with an ST-Link."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of


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
    no_contact = ("Couldn't find any ST-Link devices", "Failed to connect to target", "Failed to parse flash type")

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write, verify, reset."""
        del board
        chosen = ["--serial", probe] if probe else []
        return [["st-flash", "--reset", *chosen, "--format", "ihex", "write", str(file_of(image, "hex"))]]


FLASHER = StFlashFlasher
