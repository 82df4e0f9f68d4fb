"""adafruit-nrfutil: nRF52 boards with Adafruit's serial bootloader."""

from __future__ import annotations

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.console.serial import find_port
from tinyedge.errors import DeviceError
from tinyedge.flash.command import CommandFlasher
from tinyedge.flash.contract import file_of, usb_ids_of
from tinyedge.flash.words import Reach, Saying, port_access

_DEVICE_TYPE = "0x0052"
"""nRF52, as Adafruit's bootloader checks it"""
_BAUD = 115_200
_ENTER = "press the reset button twice: the bootloader stays, its LED pulses"
_SAYINGS = (
    Saying(r"^#+$|Sending DFU start packet|Activating new firmware", Reach.FLASH),
    port_access(),
    Saying(r"Serial port could not be opened|could not open port", Reach.NOWHERE, _ENTER),
    Saying(r"No data received on serial port|Not able to proceed with DFU|Timed out", None, _ENTER),
)


class NrfutilFlasher(CommandFlasher):
    """A DFU package made of the image, then sent to the bootloader, which checks its CRC and starts it.

    `nrfutil` in [flash_options] are the USB ids of the bootloader; probe: its port.

    Source: adafruit-nrfutil 0.5.3, nordicsemi/__main__.py and dfu/dfu_transport_serial.py
    """

    name = "nrfutil"
    reaches = "nRF52 boards with Adafruit's bootloader"
    option_is = "`nrfutil`: USB ids of the bootloader"
    probe_is = "its serial port"
    programs = ("adafruit-nrfutil",)
    install = "`pip install adafruit-nrfutil`"
    verifies = False
    version_arguments = ("version",)
    prepares = 1
    proofs = ("Zip created", "Device programmed.")  # it ends with exit code 0 when the device refuses
    needs_probe = False
    sayings = _SAYINGS

    def find_probe(self, board: Board, console_port: str) -> str:
        """The port of the bootloader, which is there after two presses of the reset button."""
        del console_port
        return find_bootloader(board, "nrfutil")

    def commands(self, image: Image, board: Board, probe: str) -> list[list[str]]:
        """Make the package; send it."""
        image_hex = file_of(image, "hex")
        package = str(image_hex.with_suffix(".zip"))
        make = ["dfu", "genpkg", "--dev-type", _DEVICE_TYPE, "--application", str(image_hex), package]
        send = ["dfu", "serial", "--package", package, "--port", probe, "--baudrate", str(_BAUD), "--singlebank"]
        return [["adafruit-nrfutil", *make], ["adafruit-nrfutil", *send]]


def find_bootloader(board: Board, key: str) -> str:
    """The port whose USB ids stand under `key` in [flash_options]. Raises: DeviceError that says how to get there."""
    try:
        return find_port(f"{board.name}` in its bootloader, `{key}", usb_ids_of(board, key), option="--probe")
    except DeviceError as error:
        raise DeviceError(error.what, hint=_ENTER) from error


FLASHER = NrfutilFlasher
