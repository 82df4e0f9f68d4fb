"""The serial line of the emulated chip, as its serial port sees it; and its other end, the pipes to tinyedge."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from typing import IO, Protocol

from tinyedge.emulate.unicorn import frames
from tinyedge.emulate.unicorn.frames import Ending

IDLE_POLLS = 8
"""so many looks in vain in a row, and the firmware waits for the host: the machine sleeps until it writes"""
_FLUSH_BYTES = 4096
_FLUSH_READINGS = 4096


class SerialLine(Protocol):
    """What a serial port has on its pins."""

    on_input: Callable[[], None]
    """called between two basic blocks after bytes arrived, where the port can interrupt"""
    can_interrupt: bool
    """the port will interrupt when bytes arrive: set by the port"""
    pending: Callable[[], bytes]
    """takes what the port was given to send and holds back until the line asks: set by the port"""

    @property
    def has_input(self) -> bool: ...

    def take(self, most: int) -> bytes:
        """Received bytes, at most that many, none when none arrived."""
        ...

    def send(self, data: bytes) -> None: ...

    def polled_in_vain(self) -> None:
        """The firmware looked for a byte and there was none."""
        ...


class Link:
    """The worker's end of the pipes. A thread reads what tinyedge sends; it ends the process with tinyedge."""

    def __init__(self, source: IO[bytes], sink: IO[bytes]) -> None:
        self._source, self._sink = source, sink
        self._write_lock = threading.Lock()
        self._received = bytearray()
        self._arrived = threading.Event()
        self._unsent = bytearray()
        self._readings: list[frames.Reading] = []
        self._polls = 0
        self.fresh = False
        """bytes arrived that `on_input` was not told of yet"""
        self.light = False
        """the host wants no reads of flash followed any more"""
        self.host_seconds = 0.0
        """spent talking to the host and waiting for it"""
        self.on_input: Callable[[], None] = lambda: None
        self.can_interrupt = False
        self.pending: Callable[[], bytes] = bytes
        self.on_arrival: Callable[[], None] = lambda: None
        """called in the reading thread when bytes arrived and the port can interrupt"""
        self.statistics: Callable[[], dict[str, float]] = dict
        self.longest_nap: Callable[[], float | None] = lambda: None
        """how long the machine may sleep, because something else is due; None: for ever"""

    def start_reading(self) -> None:
        threading.Thread(target=self._read, name="tinyedge host", daemon=True).start()

    def _read(self) -> None:
        while (frame := frames.read_frame(self._source)) is not None:
            kind, body = frame
            if kind == frames.INPUT:
                self._received += body
                self.fresh = True
                self._arrived.set()
                if self.can_interrupt:
                    self.on_arrival()
            elif kind == frames.LIGHT:
                self.light = True
                self._arrived.set()
                self.on_arrival()
            elif kind == frames.ASK:
                self._write(frames.STATISTICS, json.dumps(self.statistics()).encode())
        os._exit(0)  # nobody is left to run for

    def _write(self, kind: bytes, body: bytes) -> None:
        try:
            with self._write_lock:
                frames.write_frame(self._sink, kind, body)
        except OSError:
            os._exit(0)

    @property
    def has_input(self) -> bool:
        return bool(self._received)

    def take(self, most: int) -> bytes:
        data = bytes(self._received[:most])
        if data:
            del self._received[: len(data)]  # more may have arrived meanwhile
            self._polls = 0
        return data

    def send(self, data: bytes) -> None:
        self._polls = 0
        self._unsent += self.pending() + data
        if b"\n" in data or len(self._unsent) >= _FLUSH_BYTES:
            self.flush()

    def polled_in_vain(self) -> None:
        self._polls += 1
        if self._polls >= IDLE_POLLS:
            self._polls = 0
            self.wait(self.longest_nap())

    def wait(self, seconds: float | None) -> None:
        """Sleep until the host writes, or for that long."""
        self.flush()
        started = time.perf_counter()
        self._arrived.clear()
        if not self._received:
            self._arrived.wait(seconds)
        self.host_seconds += time.perf_counter() - started

    def add_reading(self, reading: frames.Reading) -> None:
        self._readings.append(reading)
        if len(self._readings) >= _FLUSH_READINGS:
            self.flush()

    def flush(self) -> None:
        """Hand on what the firmware said, after the counter readings it took before."""
        started = time.perf_counter()
        self._unsent += self.pending()
        if self._readings:
            self._write(frames.READINGS, frames.pack_readings(self._readings))
            self._readings.clear()
        if self._unsent:
            self._write(frames.OUTPUT, bytes(self._unsent))
            self._unsent.clear()
        self.host_seconds += time.perf_counter() - started

    def ready(self, version: str) -> None:
        self._write(frames.READY, json.dumps({"version": version}).encode())

    def note(self, text: str) -> None:
        self._write(frames.NOTE, text.encode())

    def end(self, ending: Ending) -> None:
        self.flush()
        self._write(frames.STATISTICS, json.dumps(self.statistics()).encode())
        self._write(frames.END, ending.to_json())
