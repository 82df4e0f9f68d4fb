"""OpenOCD: nearly every probe and chip, set up by the configuration files it brings."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board, Isa
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option


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
    contact = "** Programming Started **"

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
