"""A pseudo terminal that stands for the serial port of a board."""

from __future__ import annotations

import contextlib
import os
import pty
import time
import tty
from pathlib import Path


class Terminal:
    """A pseudo terminal under a name of its own, which can be unplugged and plugged in again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plug_in()

    def plug_in(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))

    def send(self, data: bytes, timeout_s: float = 30.0) -> None:
        """Send all of it, as fast as the other side reads. Raises: AssertionError when it stops reading."""
        os.set_blocking(self.master, False)
        deadline = time.monotonic() + timeout_s
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                assert time.monotonic() < deadline, "nobody reads"
                time.sleep(0.005)

    def unplug(self) -> None:
        self.path.unlink(missing_ok=True)
        for descriptor in (self._slave, self.master):
            with contextlib.suppress(OSError):
                os.close(descriptor)
