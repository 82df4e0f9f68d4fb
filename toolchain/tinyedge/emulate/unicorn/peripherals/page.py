"""A page of memory-mapped registers: plain storage, except where a peripheral put a function in."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping

PAGE_BYTES = 4096
_WORD = 4
_MASK = 0xFFFF_FFFF
_CALLS_READ, _CALLS_WRITE = 1, 2


class SharedPage(ctypes.Structure):
    """`register_page` of native/registers.h: what native code needs to serve plain registers without Python."""

    _fields_ = (
        ("values", ctypes.c_uint32 * (PAGE_BYTES // _WORD)),
        ("calls", ctypes.c_uint8 * (PAGE_BYTES // _WORD)),
        ("port", ctypes.c_void_p),
        ("port_calls", ctypes.c_void_p),
    )


class Registers:
    """Words by their offset in the page, or in a part of it; 0 until written."""

    def __init__(self, shared: SharedPage, start: int = 0) -> None:
        self._words = memoryview(shared.values).cast("B").cast("I")[start // _WORD :]

    def __getitem__(self, offset: int) -> int:
        return self._words[offset >> 2]

    def __setitem__(self, offset: int, value: int) -> None:
        self._words[offset >> 2] = value & _MASK

    def update(self, values: Mapping[int, int]) -> None:
        for offset, value in values.items():
            self[offset] = value


class RegisterPage:
    """Registers of 32 bits by their offset in the page. A register nobody claimed keeps what is written to it."""

    start = 0
    """where in the whole page offsets begin"""

    def __init__(self, name: str) -> None:
        self.name = name
        self.shared = SharedPage()
        self.values = Registers(self.shared)
        self._readers: dict[int, Callable[[], int]] = {}
        self._writers: dict[int, Callable[[int], None]] = {}

    def on_read(self, offset: int, reader: Callable[[], int]) -> None:
        """Reads of the register give what `reader` gives."""
        self._readers[offset] = reader
        self.shared.calls[offset // _WORD] |= _CALLS_READ

    def on_write(self, offset: int, writer: Callable[[int], None]) -> None:
        """Writes to the register go to `writer`, which keeps what should be kept."""
        self._writers[offset] = writer
        self.shared.calls[offset // _WORD] |= _CALLS_WRITE

    def read(self, offset: int, size: int) -> int:
        """`size` bytes at `offset`."""
        word = offset & -_WORD
        reader = self._readers.get(word)
        value = self.values[word] if reader is None else reader()
        if size == _WORD:
            return value
        return value >> 8 * (offset - word) & ((1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        """A write of less than a word leaves the other bytes of the register as they are kept; reading them could
        cause something."""
        word = offset & -_WORD
        if size != _WORD:
            shift = 8 * (offset - word)
            mask = ((1 << 8 * size) - 1) << shift
            value = self.values[word] & ~mask | value << shift & mask
        writer = self._writers.get(word)
        if writer is None:
            self.values[word] = value
        else:
            writer(value)

    def part(self, start: int) -> RegisterPage:
        """The page from `start` on as a peripheral sees it that shares the page with others."""
        return self if start == 0 else _Part(self, start)


class _Part(RegisterPage):
    """Registers by their offset behind `start`; they are served by the whole page."""

    def __init__(self, page: RegisterPage, start: int) -> None:
        super().__init__(page.name)
        self.shared = page.shared
        self.values = Registers(page.shared, start)
        self._page, self.start = page, start

    def on_read(self, offset: int, reader: Callable[[], int]) -> None:
        self._page.on_read(self.start + offset, reader)

    def on_write(self, offset: int, writer: Callable[[int], None]) -> None:
        self._page.on_write(self.start + offset, writer)
