"""A page of memory-mapped registers: plain storage, except where a peripheral put a function in."""

from __future__ import annotations

from collections.abc import Callable

PAGE_BYTES = 4096
_WORD = 4


class RegisterPage:
    """Registers of 32 bits by their offset in the page. A register nobody claimed keeps what is written to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[int, int] = {}
        self.readers: dict[int, Callable[[], int]] = {}
        self.writers: dict[int, Callable[[int], None]] = {}

    def read(self, offset: int, size: int) -> int:
        """`size` bytes at `offset`."""
        word = offset & -_WORD
        reader = self.readers.get(word)
        value = self.values.get(word, 0) if reader is None else reader()
        if size == _WORD:
            return value
        return value >> 8 * (offset - word) & ((1 << 8 * size) - 1)

    def write(self, offset: int, size: int, value: int) -> None:
        """A write of less than a word leaves the other bytes of the register as they read."""
        word = offset & -_WORD
        if size != _WORD:
            shift = 8 * (offset - word)
            mask = ((1 << 8 * size) - 1) << shift
            value = self.read(word, _WORD) & ~mask | value << shift & mask
        writer = self.writers.get(word)
        if writer is None:
            self.values[word] = value
        else:
            writer(value)
