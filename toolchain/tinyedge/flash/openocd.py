"""OpenOCD: nearly every probe and chip, set up by the configuration files it brings."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board, Isa
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option
from tinyedge.flash.words import Reach, Saying, probe_access, probe_busy

_SAYINGS = (
    Saying(r"\*\* Programming Started \*\*", Reach.FLASH),
    Saying(
        r"APPROTECT|AP lock engaged|nrf5\w*_recover",
        Reach.CHIP,
        "the chip is locked (APPROTECT): `openocd {option} --command 'init; nrf52_recover; exit'` (of an nRF53, "
        "`nrf53_recover`) unlocks it, and erases all of it",
    ),
    Saying(
        r"read protect|RDP level|device is (locked|secured|protected)|is write protected",
        Reach.CHIP,
        "the chip is protected: OpenOCD's command `unlock 0` of its flash driver (`stm32f4x unlock 0`) takes that off, "
        "and erases all of it",
    ),
    probe_access("60-openocd.rules, beside OpenOCD's scripts"),
    probe_busy(r"LIBUSB_ERROR_BUSY|resource busy|claim interface|already in use"),
    Saying(
        r"UNEXPECTED idcode|expected 1 of|Cannot identify target as|auto_probe failed",
        Reach.CHIP,
        "the chip is another than board `{board}` has: is this the right board? `tinyedge boards` lists them",
    ),
    Saying(
        r"Could not find MEM-AP|examination failed|init mode failed|Target voltage may be too low|DAP.*(fail|error)",
        Reach.NOWHERE,
        "the probe is there, the chip does not answer it: check that the board has power, and SWDIO, SWCLK and GND; "
        "hold its reset button while OpenOCD starts",
    ),
    Saying(r"Can't find|couldn't open .*cfg", Reach.NOWHERE, "this OpenOCD lacks a file of `{option}`: a newer one"),
    Saying(
        r"No .*device found|unable to open .*device|unable to find a matching|open failed",
        Reach.NOWHERE,
        "connect the probe, and close other programs that use it",
    ),
)


class OpenocdFlasher(CommandFlasher):
    """`program ... verify reset exit`.

    `openocd` in [flash_options] are configuration files separated by blanks: `board/...cfg`, or `interface/...cfg`
    and `target/...cfg`; probe: the serial number of the adapter.

    Source: OpenOCD User's Guide 0.12, "Flash Programming" and "Debug Adapter Configuration"
    """

    name = "openocd"
    reaches = "nearly every probe"
    option_is = "`openocd`: configuration files, separated by blanks"
    probe_is = "serial number of the adapter"
    programs = ("openocd",)
    install = "`apt-get install openocd`, or a package of your system"
    proofs = ("** Verified OK **",)  # with a wrong set-up it ends with exit code 0
    announces = True
    sayings = _SAYINGS

    def option_words(self, board: Board) -> str:
        """The configuration files as the program takes them."""
        return " ".join(f"--file {name}" for name in option(board, "openocd").split())

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """One command that writes, verifies, resets and ends."""
        words = ["openocd"]
        for name in option(board, "openocd").split():
            words += ["--file", name]
            if name.startswith("interface/") and board.core.isa is not Isa.RV32IMC and "stlink" not in name:
                words += ["--command", "transport select swd"]  # a J-Link starts with JTAG; ST-Links have their own
        if probe:
            words += ["--command", f"adapter serial {tcl_word(probe)}"]
        program = f"program {tcl_word(file_of(image, 'hex').as_posix())} verify reset exit"
        return [[*words, "--command", program]]


def tcl_word(text: str) -> str:
    r"""Text as one word of Tcl, whatever is in it.

    >>> tcl_word("/home/me/my net.hex"), tcl_word("a{b")
    ('{/home/me/my net.hex}', 'a\\{b')
    """
    if not any(sign in text for sign in "{}\\"):
        return "{" + text + "}"
    return "".join(f"\\{sign}" if sign in '{}[]$"; \\' else sign for sign in text)


FLASHER = OpenocdFlasher
