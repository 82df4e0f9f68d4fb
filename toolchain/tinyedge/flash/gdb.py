"""gdb talking to a gdb server: a Black Magic Probe, or the stub of QEMU."""

from __future__ import annotations

from pathlib import Path

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.errors import UsageError
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option
from tinyedge.flash.words import Reach, Saying, port_access

_SERVERS = {
    "black-magic-probe": (("monitor swdp_scan", "attach 1"), ("kill",)),
    "qemu": ((), ("monitor system_reset", "detach")),
}
"""kind of server -> (commands that attach to the chip, commands that reset it and let it run)"""
_QEMU_ADDRESS = "localhost:1234"
_SAYINGS = (
    Saying(r"^tinyedge: attached", Reach.FLASH),
    port_access(),
    Saying(
        r"Connection (timed out|refused)|No such file or directory|could not connect",
        Reach.NOWHERE,
        "no gdb server answers at `{probe}`: name its port with `--probe`",
    ),
    Saying(
        r"SW-DP scan failed|no targets|Attaching to Remote target failed|attach failed",
        Reach.NOWHERE,
        "the probe is there, the chip does not answer it: check that the board has power, and SWDIO, SWCLK and GND",
    ),
)


class GdbFlasher(CommandFlasher):
    """A script: connect, `load`, `compare-sections`, reset, let go. In a script, and there alone, an error ends gdb.

    `gdb` in [flash_options] is the kind of server; probe: its address, a port (`/dev/ttyBmpGdb`) or `host:port`.

    Source: Debugging with GDB, "Connecting to a Remote Target"; Black Magic Debug, "GDB commands"
    """

    name = "gdb"
    reaches = "Black Magic Probe, QEMU"
    option_is = "`gdb`: `black-magic-probe` or `qemu`"
    probe_is = "port of the probe, or `host:port`"
    programs = ("gdb-multiarch", "arm-none-eabi-gdb")
    install = "`apt-get install gdb-multiarch`"
    proofs = ("tinyedge: written",)
    complaints = ("MIS-MATCHED!",)
    announces = True
    sayings = _SAYINGS

    def find_probe(self, board: Board, console_port: str) -> str:
        """QEMU's usual address; a probe has to be named."""
        del console_port
        if option(board, "gdb") == "qemu":
            return _QEMU_ADDRESS
        raise UsageError("which gdb server?", hint="name the port of the probe: `--probe /dev/ttyBmpGdb`")

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Run the script."""
        del board, probe
        return [["gdb-multiarch", "--nx", "--batch", f"--command={_script(image)}", str(file_of(image, "elf"))]]

    def files(self, image: Image, board: Board, probe: str) -> dict[Path, str]:
        """The script."""
        kind = option(board, "gdb")
        if kind not in _SERVERS:
            raise UsageError(f"`gdb` of board `{board.name}` is `{kind}`; known are {', '.join(_SERVERS)}")
        attach, release = _SERVERS[kind]
        lines = (
            "set confirm off",
            "set pagination off",
            "set tcp connect-timeout 5",
            f"target extended-remote {probe}",
            *attach,
            r"echo tinyedge: attached\n",
            "load",
            "compare-sections",
            r"echo tinyedge: written\n",
            *release,
        )
        return {_script(image): "".join(f"{line}\n" for line in lines)}


def _script(image: Image) -> Path:
    return image.elf.with_name("flash.gdb")


FLASHER = GdbFlasher
