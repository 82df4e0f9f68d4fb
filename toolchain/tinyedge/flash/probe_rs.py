"""probe-rs: CMSIS-DAP, J-Link, ST-Link and the USB-JTAG of ESP32 chips, one program without configuration."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option


class ProbeRsFlasher(CommandFlasher):
    """`probe-rs download --verify`, then `probe-rs reset`.

    `probe-rs` in [flash_options] is a name of `probe-rs chip list`; probe: `VID:PID` or `VID:PID:SERIAL`.

    Source: probe-rs-tools 0.31, options of `download`, `reset` and of probes
    """

    name = "probe-rs"
    reaches = "CMSIS-DAP, J-Link, ST-Link, USB-JTAG of ESP32"
    option_is = "`probe-rs`: a name of `probe-rs chip list`"
    probe_is = "`VID:PID` or `VID:PID:SERIAL`"
    programs = ("probe-rs",)
    install = "`cargo install probe-rs-tools --locked`, or the installer at probe.rs"
    oldest_version = (0, 24)  # the first whose `download` takes --verify
    no_contact = ("No connected probes were found", "Failed to open probe", "The probe could not be created")

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write and verify; reset."""
        chosen = ["--chip", option(board, "probe-rs"), *(["--probe", probe] if probe else [])]
        return [
            ["probe-rs", "download", *chosen, "--verify", "--disable-progressbars", str(file_of(image, "elf"))],
            ["probe-rs", "reset", *chosen],
        ]


FLASHER = ProbeRsFlasher
