"""SEGGER's J-Link Commander, driven by a script."""

from __future__ import annotations

import sys
from pathlib import Path

from tinyedge.artifacts import Image
from tinyedge.boards import Board, Isa
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option
from tinyedge.flash.words import Reach, Saying, probe_access, probe_busy

_SPEED_KHZ = 4000
_SAYINGS = (
    Saying(r"Downloading file|Erasing|Programming flash|Flash download", Reach.FLASH),
    Saying(
        r"secured|read protect|protection|unlock|APPROTECT",
        Reach.CHIP,
        "the chip is locked: `unlock` of J-Link Commander (or `nrfjprog --recover`) unlocks it, and erases all of it",
    ),
    probe_access("99-jlink.rules of the J-Link software"),
    probe_busy(),
    Saying(
        r"Cannot connect to J-Link|Connecting to J-Link via USB...FAILED|No emulators connected",
        Reach.NOWHERE,
        "connect the J-Link, and close other programs that use it",
    ),
    Saying(
        r"Cannot connect to target|Could not (connect|find core)|VTarget too low",
        Reach.NOWHERE,
        "the J-Link is there, the chip does not answer it: check that the board has power, and SWDIO, SWCLK and GND",
    ),
    Saying(
        r"Unknown device|Device .* not (found|supported)", Reach.NOWHERE, "a newer J-Link software knows `{option}`"
    ),
)


class JlinkFlasher(CommandFlasher):
    """A Commander script: reset and halt, load, compare with the binary, reset, go.

    `jlink` in [flash_options] is a device name of SEGGER's list; probe: the serial number.

    Source: J-Link / J-Trace User Guide UM08001, "J-Link Commander"
    """

    name = "jlink"
    reaches = "J-Link probes"
    option_is = "`jlink`: a device name of SEGGER"
    probe_is = "serial number"
    programs = ("JLink.exe",) if sys.platform == "win32" else ("JLinkExe",)
    install = "the J-Link Software and Documentation Pack of segger.com"
    version_arguments = ()  # it always looks for a probe
    proofs = ("Verify successful.",)
    complaints = ("Verify failed", "Error while programming flash", "Failed to open file")
    sayings = _SAYINGS

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Run the script."""
        riscv = board.core.isa is Isa.RV32IMC
        interface = ["-if", "JTAG", "-jtagconf", "-1,-1"] if riscv else ["-if", "SWD"]
        chosen = ["-USB", probe] if probe else []
        device = ["-device", option(board, "jlink"), *interface, "-speed", str(_SPEED_KHZ), "-autoconnect", "1"]
        return [[self.programs[0], *chosen, "-nogui", "1", *device, "-CommandFile", str(_script(image))]]

    def files(self, image: Image, board: Board, probe: str) -> dict[Path, str]:
        """The script."""
        del probe
        lines = (
            "ExitOnError 1",
            "r",
            f"loadfile {_quoted(file_of(image, 'hex'))}",
            f"verifybin {_quoted(file_of(image, 'bin'))}, {board.flash_start:#x}",
            "r",
            "g",
            "q",
        )
        return {_script(image): "".join(f"{line}\n" for line in lines)}


def _script(image: Image) -> Path:
    return image.elf.with_name("flash.jlink")


def _quoted(path: Path) -> str:
    return f'"{path}"' if " " in str(path) else str(path)


FLASHER = JlinkFlasher
