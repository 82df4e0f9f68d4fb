"""esptool: ESP32 chips through the bootloader in their ROM, over the serial port."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.console.serial import find_port
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option
from tinyedge.flash.words import Reach, Saying, port_access

_BAUD = 460_800
"""what the USB bridges of the kits do without errors"""
_SAYINGS = (
    Saying(r"Flash will be erased|Writing '.*' at|Writing at 0x|Wrote \d", Reach.FLASH),
    port_access(),
    Saying(
        r"no sync reply|TX path",
        Reach.NOWHERE,
        "the chip waits in its bootloader and hears nothing: check the wire from TX of the adapter to RX of the board",
    ),
    Saying(
        r"Wrong boot mode|download mode|No serial data received",
        Reach.NOWHERE,
        "hold the BOOT button, press and release RESET (or plug the board in), let BOOT go, then run it again",
    ),
    Saying(
        r"This chip is .*Wrong chip argument",
        Reach.CHIP,
        "the chip is another than board `{board}` has (`{option}`): is this the right board, and the right `--port`? "
        "`tinyedge boards` lists the boards",
    ),
    Saying(
        r"Failed to communicate with the flash chip|Could not detect flash size|flash .*not detected",
        Reach.CHIP,
        "the chip answers, its flash does not: take off what is wired to its flash pins (GPIO11 to GPIO17 of an "
        "ESP32-C3), check the 3.3 V supply; a module without flash cannot be used",
    ),
    Saying(
        r"larger than (detected|16MB)",
        Reach.CHIP,
        "the flash of this board is smaller than its file says: is it board `{board}`?",
    ),
    Saying(
        r"serial noise|Invalid head of packet",
        None,
        "something else speaks on this line: close other programs on the port, take a short cable without a hub, "
        "and hold BOOT while you press RESET",
    ),
    Saying(
        r"Write timeout|Serial data stream stopped|stopped responding|No more data to read",
        None,
        "the line broke off: another USB cable, no hub between, no other program on the port; then run it again",
    ),
    Saying(
        r"the port is busy or doesn't exist|could not open port",
        Reach.NOWHERE,
        "is `{probe}` the board's port, and no other program on it? `tinyedge doctor` lists the ports",
    ),
    Saying(r"Failed to connect to", Reach.NOWHERE),
)


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
    needs_probe = False
    sayings = _SAYINGS

    def find_probe(self, board: Board, console_port: str) -> str:
        """The console's port: one USB bridge carries both."""
        return console_port or find_port(board.name, board.usb_ids)

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write, verify, reset."""
        offset = int(board.flash_options.get("esptool_offset", "0"), 0)
        chip = ["--chip", option(board, "esptool"), "--port", probe, "--baud", str(_BAUD), "--after", "hard-reset"]
        return [["esptool", *chip, "write-flash", "--no-progress", f"{offset:#x}", str(file_of(image, "bin"))]]


FLASHER = EsptoolFlasher
