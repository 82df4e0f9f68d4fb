"""probe-rs: CMSIS-DAP, J-Link, ST-Link and the USB-JTAG of ESP32 chips, one program without configuration."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, option
from tinyedge.flash.words import Reach, Saying, probe_access, probe_busy

_SAYINGS = (
    Saying(r"Erasing|Programming|Finished in", Reach.FLASH),
    Saying(
        r"locked|APPROTECT|--allow-erase-all|allow-erase-all|MissingPermissions|read protect",
        Reach.CHIP,
        "the chip is locked: `probe-rs erase --chip {option} --allow-erase-all` unlocks it, and erases all of it",
    ),
    probe_access("69-probe-rs.rules of probe.rs"),
    probe_busy(r"LIBUSB_ERROR_BUSY|resource busy|in use|could not be claimed"),
    Saying(
        r"No connected probes were found|Failed to open probe|The probe could not be created|No probe",
        Reach.NOWHERE,
        "connect the probe; `probe-rs list` shows those here",
    ),
    Saying(
        r"Target device did not respond|No ACK|Connecting to the chip was unsuccessful|Failed to attach",
        Reach.NOWHERE,
        "the probe is there, the chip does not answer it: check that the board has power, and SWDIO, SWCLK and GND",
    ),
    Saying(r"chip .*not found", Reach.NOWHERE, "a newer probe-rs knows `{option}`: `probe-rs chip list`"),
)


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
    sayings = _SAYINGS

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Write and verify; reset."""
        chosen = ["--chip", option(board, "probe-rs"), *(["--probe", probe] if probe else [])]
        return [
            ["probe-rs", "download", *chosen, "--verify", "--disable-progressbars", str(file_of(image, "elf"))],
            ["probe-rs", "reset", *chosen],
        ]


FLASHER = ProbeRsFlasher
