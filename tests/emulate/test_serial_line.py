"""The emulated serial line: nothing is lost of what arrives while the firmware takes bytes."""

from __future__ import annotations

import io
from typing import Any

from tinyedge.emulate.unicorn.serial_line import Link


class Busy(bytearray):
    """Bytes among which another one arrives whenever some are looked at."""

    left = 20

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if self.left:
            self.left -= 1
            self += b"x"
        return found


def test_bytes_that_arrive_while_others_are_taken_stay() -> None:
    link = Link(io.BytesIO(), io.BytesIO())
    link._received = Busy(b"abc")
    taken = b""
    while data := link.take(4096):
        taken += data
    assert taken == b"abc" + b"x" * Busy.left
