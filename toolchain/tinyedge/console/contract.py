"""The console: the one way to talk to a firmware, whatever carries the bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol


class Console(Protocol):
    """A byte line to a firmware: serial port, process, socket, or a replayed log."""

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        """Complete lines without their line end, as they arrive; ends when none came for `timeout_s` seconds.

        A line longer than a sane limit is cut and dropped, so a hostile device cannot fill the host.
        Raises: DeviceError when the other side is gone (port closed, process ended, emulated fault).
        """
        ...

    def write(self, data: bytes) -> None:
        """Send bytes. Raises: DeviceError when the other side is gone."""
        ...

    def close(self) -> None:
        """Release the port or end the process; safe to call twice."""
        ...
