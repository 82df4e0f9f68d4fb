"""Which of the two ways a board sends in: a checked frame settles it, or lines of numbers do."""

from __future__ import annotations

from typing import Literal

from tinyedge.collect.contract import Event, TimeUnit
from tinyedge.collect.frames import FrameDecoder
from tinyedge.collect.lines import LineDecoder


class Detector:
    """A decoder that finds out by itself what it decodes."""

    def __init__(self, time: TimeUnit, *, live: bool) -> None:
        self._frames = FrameDecoder()
        self._lines = LineDecoder(time, live=live)

    @property
    def format(self) -> Literal["", "text", "frames"]:
        """Empty as long as it is not known."""
        return "frames" if self._frames.found else "text" if self._lines.found else ""

    @property
    def _known(self) -> FrameDecoder | LineDecoder:
        return self._frames if self._frames.found else self._lines

    @property
    def axis_names(self) -> tuple[str, ...]:
        return self._known.axis_names

    @property
    def damaged(self) -> int:
        return self._known.damaged

    @property
    def hints(self) -> tuple[str, ...]:
        return self._known.hints

    def feed(self, data: bytes) -> list[Event]:
        """What the bytes complete. Raises: DeviceError when the number of axes changes for good."""
        if not self._lines.found:
            events = self._frames.feed(data)
            if self._frames.found:
                return events
        return self._lines.feed(data)

    def finish(self) -> list[Event]:
        """What was held back, once nothing more comes."""
        if not self._lines.found:
            events = self._frames.finish()
            if self._frames.found:
                return events
        return self._lines.finish()
