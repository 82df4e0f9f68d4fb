"""bossac: boards with Arduino's SAM-BA bootloader."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of
from tinyedge.flash.nrfutil import find_bootloader
from tinyedge.flash.words import Reach, Saying, port_access

_SAYINGS = (
    Saying(r"Erase flash|Write \d+ bytes|Done in", Reach.FLASH),
    port_access(),
    Saying(
        r"Device unsupported|unrecognized device",
        Reach.CHIP,
        "this bossac does not know the chip: nRF52 boards need Arduino's build of it, which "
        "`arduino-cli core install arduino:mbed_nano` brings",
    ),
    Saying(
        r"No device found|SAM-BA operation failed|Failed to open port",
        Reach.NOWHERE,
        "press the reset button twice: the bootloader stays, its LED pulses; then run it again",
    ),
)


class BossacFlasher(CommandFlasher):
    """Erase, write and verify behind the bootloader, which knows itself where the image starts; then reset.

    `bossac` in [flash_options] are the USB ids of the bootloader; probe: its port.

    Source: `bossac --help` of 1.9.1; nRF52 chips need Arduino's build of it (ArduinoCore-mbed, platform.txt)
    """

    name = "bossac"
    reaches = "boards with Arduino's SAM-BA bootloader"
    option_is = "`bossac`: USB ids of the bootloader"
    probe_is = "its serial port"
    programs = ("bossac",)
    install = (
        "`apt-get install bossa-cli`; for the Nano 33 BLE Arduino's own 1.9.1-arduino2, which "
        "`arduino-cli core install arduino:mbed_nano` brings"
    )
    version_arguments = ("--help",)
    proofs = ("Verify successful",)
    needs_probe = False
    sayings = _SAYINGS

    def find_probe(self, board: Board, console_port: str) -> str:
        """The port of the bootloader, which is there after two presses of the reset button."""
        del console_port
        return find_bootloader(board, "bossac")

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """One command for everything."""
        del board
        port = probe.removeprefix("/dev/")  # as the program wants it
        return [["bossac", f"--port={port}", "-U", "-i", "-e", "-w", "-v", str(file_of(image, "bin")), "-R"]]


FLASHER = BossacFlasher
