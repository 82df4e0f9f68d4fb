"""pyOCD: CMSIS-DAP, J-Link and ST-Link probes from a Python package."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option
from tinyedge.flash.words import Reach, Saying, probe_access, probe_busy

_SAYINGS = (
    Saying(r"\[---\||\[=|Erased \d+ bytes|will try to unlock via mass erase", Reach.FLASH),
    Saying(
        r"APPROTECT enabled|is locked|flash security|locked and cannot",
        Reach.CHIP,
        "the chip is locked (APPROTECT): `pyocd erase --mass --target {option}` unlocks it, and erases all of it",
    ),
    probe_access("pyOCD's folder `udev`"),
    probe_busy(r"LIBUSB_ERROR_BUSY|resource busy|exclusive|already (open|in use)"),
    Saying(
        r"No ACK",
        Reach.NOWHERE,
        "the probe is there, the chip does not answer it: check that the board has power, and SWDIO, SWCLK and GND; "
        "a chip that sleeps or is locked answers under reset alone",
    ),
    Saying(r"No (connected|available) debug probe", Reach.NOWHERE, "connect the probe; `pyocd list` shows those here"),
    Saying(r"Target type .* not recognized", Reach.NOWHERE, "`pyocd pack install {option}` gets what pyOCD lacks"),
    Saying(r"Error while initing target|No cores were discovered", Reach.NOWHERE),
    Saying(r"Memory transfer fault|Error attempting to probe", Reach.CHIP),
)


class PyocdFlasher(CommandFlasher):
    """`pyocd load` writes, and `compare` in its commander verifies, which loading alone does not.

    `pyocd` in [flash_options] is a name of `pyocd list --targets`; probe: a unique id, or a part of one.

    Source: `pyocd load --help`, `pyocd commander --help` of 0.46
    """

    name = "pyocd"
    reaches = "CMSIS-DAP, J-Link and ST-Link probes"
    option_is = "`pyocd`: a name of `pyocd list --targets`"
    probe_is = "unique id, or a part of it"
    programs = ("pyocd",)
    module = "pyocd"
    install = "`pip install 'tinyedge-toolchain[flash]'`"
    extra = "flash"
    proofs = ("", "bytes match.")
    sayings = _SAYINGS

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write and stay halted; compare, then reset."""
        chosen = ["--no-wait", "--target", option(board, "pyocd"), *(["--uid", probe] if probe else [])]
        compare = f'compare {board.flash_start:#x} "{file_of(image, "bin").as_posix()}"'
        return [
            ["pyocd", "load", *chosen, "--no-reset", str(file_of(image, "hex"))],
            ["pyocd", "commander", *chosen, "--command", compare, "--command", "reset"],
        ]


FLASHER = PyocdFlasher
