"""The console of a real board: a serial port, or one behind a network (`socket://host:port`, `rfc2217://host:port`)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import serial
from serial.tools import list_ports

from tinyedge.console.buffer import READ_BYTES, LineBuffer, read_lines
from tinyedge.console.contract import Uncounted
from tinyedge.errors import DeviceError, UsageError
from tinyedge.systems import wait_readable

_WRITE_TIMEOUT_S = 5.0


class Port(Protocol):
    """A port as `serial.tools.list_ports` describes it."""

    device: str
    vid: int | None
    pid: int | None


class SerialConsole(Uncounted):
    """Console over a serial port, which is opened for this process alone.

    Raises: DeviceError when it cannot be opened; UsageError when the URL is malformed
    """

    def __init__(self, url: str, baud: int) -> None:
        self.url = url
        self._buffer = LineBuffer()
        # pySerial's RFC 2217 takes no time-out for writing; its socket has one of five seconds.
        write_timeout_s = None if url.lower().startswith("rfc2217:") else _WRITE_TIMEOUT_S
        try:
            self._port = serial.serial_for_url(
                url, baudrate=baud, timeout=0, write_timeout=write_timeout_s, exclusive=True
            )
        except ValueError as error:
            raise UsageError(
                f"`{url}` is no serial port: {error}", hint="a device, `socket://host:port` or `rfc2217://host:port`"
            ) from error
        except (serial.SerialException, OSError) as error:
            raise DeviceError(f"cannot open `{url}`: {_reason(error)}", hint=_hint_for(error)) from error

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        """Complete lines without their line end; ends when none came for `timeout_s` seconds.

        Raises: DeviceError when the port is gone or closed
        """
        return read_lines(self.read, self._buffer, timeout_s)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises: DeviceError when the port is gone, or the other side took none in time."""
        try:
            self._port.write(data)
        except (serial.SerialException, OSError, TypeError) as error:  # TypeError: closed by another thread
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the port; safe to call twice."""
        connection = getattr(self._port, "_socket", None)
        with contextlib.suppress(serial.SerialException, OSError):
            self._port.close()
        if connection is not None:
            connection.close()  # pyserial forgets to, when the other side is gone already

    def read(self, timeout_s: float) -> bytes:
        """Bytes as they come, at most READ_BYTES; none when the time is over. Raises: DeviceError as `lines`."""
        deadline = time.monotonic() + timeout_s
        while True:
            data = self._read_what_is_there()
            left = deadline - time.monotonic()
            if data or left <= 0:
                return data
            self._wait(left)

    def _read_what_is_there(self) -> bytes:
        data = b""
        try:
            while len(data) < READ_BYTES:
                piece = self._port.read(READ_BYTES - len(data))
                data += piece
                if not piece:
                    break
        except (serial.SerialException, OSError, TypeError) as error:
            if not data:  # what came before the cable was pulled is still good
                raise self._gone(error) from error
        return data

    def _wait(self, seconds: float) -> None:
        """Wait for a byte, at most that long."""
        try:
            wait_readable(self._port, seconds)
        except (serial.SerialException, OSError, TypeError, ValueError) as error:
            raise self._gone(error) from error

    def _gone(self, error: BaseException) -> DeviceError:
        return DeviceError(
            f"lost the connection to `{self.url}`: {_reason(error)}", hint="check the cable and the power of the board"
        )


def find_port(
    name: str, usb_ids: Sequence[tuple[int, int]], ports: Iterable[Port] | None = None, *, option: str = "--port"
) -> str:
    """The one serial port whose USB ids (vendor, product) are among those of board `name`; else `option` names it.

    Raises: DeviceError when there is none; UsageError that lists them when there are several
    """
    known: list[Port] = list(list_ports.comports() if ports is None else ports)
    found = sorted(port.device for port in known if (port.vid, port.pid) in usb_ids)
    if len(found) > 1:
        listed = ", ".join(f"`{device}`" for device in found)
        raise UsageError(f"{len(found)} ports could be board `{name}`: {listed}", hint=f"`{option} {found[0]}`")
    if not found:
        others = ", ".join(f"`{device}`" for device in sorted(port.device for port in known)) or "none at all"
        raise DeviceError(
            f"no serial port has the USB ids of board `{name}`; ports here: {others}",
            hint=f"connect the board, or name its port with `{option}`",
        )
    return found[0]


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _hint_for(error: BaseException) -> str:
    text = str(error)
    if "ermission" in text:
        return "add yourself to the group of serial ports: `sudo usermod -aG dialout $USER`, then log in again"
    if "lock" in text or "busy" in text:
        return "another program has it open: close that first"
    devices = ", ".join(f"`{port.device}`" for port in list_ports.comports())
    return f"serial ports here: {devices or 'none'}"
