"""esptool: ESP32 chips through the bootloader in their ROM, over the serial port."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.console.serial import find_port
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option

_BAUD = 460_800
"""what the USB bridges of the kits do without errors"""


class EsptoolFlasher(CommandFlasher):
    """`esptool write-flash`, which compares a hash of the flash with the file's.

    `esptool` in [flash_options] is a chip of `esptool --chip`, `esptool_offset` where the image goes in the flash
    chip if not at its start; probe: the serial port, which is the console's where the user names no other.

    Source: `esptool --help`, `esptool write-flash --help` of 5.6
    """

    name = "esptool"
    reaches = "ESP32 chips, by their ROM"
    option_is = "`esptool`: the chip; `esptool_offset`, if not 0"
    probe_is = "serial port; the console's, if none is named"
    programs = ("esptool",)
    module = "esptool"
    install = "`pip install 'tinyedge-toolchain[flash]'`"
    extra = "flash"
    version_arguments = ("version",)
    oldest_version = (5,)  # the first with `write-flash`
    proofs = ("Hash of data verified.",)
    no_contact = ("Could not open", "Failed to connect to")

    def find_probe(self, board: Board, console_port: str) -> str:
        """The console's port: one USB bridge carries both."""
        return console_port or find_port(board.name, board.usb_ids)

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write, verify, reset."""
        offset = int(board.flash_options.get("esptool_offset", "0"), 0)
        chip = ["--chip", option(board, "esptool"), "--port", probe, "--baud", str(_BAUD), "--after", "hard-reset"]
        return [["esptool", *chip, "write-flash", "--no-progress", f"{offset:#x}", str(file_of(image, "bin"))]]


FLASHER = EsptoolFlasher
