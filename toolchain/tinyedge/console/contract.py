"""The console: the one way to talk to a firmware, whatever carries the bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class CounterReading:
    """What an emulator knew at one read of the cycle counter by the firmware."""

    instructions: int
    """executed since reset, exact"""
    cycles: int
    """modelled since reset: of the pipeline and of stalls"""
    stall_cycles: int = 0
    """of these the ones that the core waited for its flash"""
    code_misses: int = 0
    data_misses: int = 0
    code_lines: int = 0
    """sectors of code that would be fetched without a cache"""

    def after(self, begin: CounterReading, end: CounterReading) -> CounterReading:
        """This reading with what was counted from `begin` to `end` added to it."""
        return CounterReading(
            **{
                name: getattr(self, name) + getattr(end, name) - getattr(begin, name)
                for name in (field.name for field in dataclasses.fields(self))
            }
        )


class CountedConsole(Console, Protocol):
    """A console whose other side may be watched while it runs, as in an emulator."""

    keeps_input: bool
    """whether what is written waits for a firmware that is busy; a board loses it"""

    def counter_readings(self) -> list[CounterReading]:
        """Readings of the cycle counter since the last call, oldest first; empty where nobody counts, as on a board."""
        ...

    def leave_reads_out(self) -> None:
        """From now on cycles may lack what reads of flash take, where following them is slow."""
        ...

    def statistics(self) -> dict[str, float]:
        """What the other side tells of itself for `-v`: instructions, seconds, MIPS."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What a user should know of this run, e.g. that it counts slowly, or a peripheral that is not modelled."""
        ...

    def last_words(self) -> list[str]:
        """The last lines that the other side printed beside the line to the firmware, as an emulator does."""
        ...


class Uncounted:
    """What a `CountedConsole` says where nobody watches the other side."""

    keeps_input = False

    def counter_readings(self) -> list[CounterReading]:
        return []

    def leave_reads_out(self) -> None:
        pass

    def statistics(self) -> dict[str, float]:
        return {}

    def notes(self) -> tuple[str, ...]:
        return ()

    def last_words(self) -> list[str]:
        return []
