"""pyOCD: CMSIS-DAP, J-Link and ST-Link probes from a Python package."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option


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
    no_contact = ("No connected debug probe", "Error while initing target")

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write and stay halted; compare, then reset."""
        chosen = ["--no-wait", "--target", option(board, "pyocd"), *(["--uid", probe] if probe else [])]
        compare = f'compare {board.flash_start:#x} "{file_of(image, "bin").as_posix()}"'
        return [
            ["pyocd", "load", *chosen, "--no-reset", str(file_of(image, "hex"))],
            ["pyocd", "commander", *chosen, "--command", compare, "--command", "reset"],
        ]


FLASHER = PyocdFlasher
