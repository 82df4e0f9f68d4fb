"""Things to do at a time of the emulated machine."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class Event:
    """Something to do at a time; of two at the same time, the one scheduled first comes first."""

    at_cycles: int
    order: int
    action: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class Scheduler:
    """Events by time.

    >>> done = []
    >>> scheduler = Scheduler()
    >>> late, early = (scheduler.add(at, lambda at=at: done.append(at)) for at in (20, 10))
    >>> scheduler.next_cycles, scheduler.run_until(15), done
    (10, None, [10])
    >>> late.cancel()
    >>> scheduler.next_cycles is None
    True
    """

    def __init__(self) -> None:
        self._heap: list[Event] = []
        self._count = 0

    def add(self, at_cycles: int, action: Callable[[], None]) -> Event:
        self._count += 1
        event = Event(at_cycles, self._count, action)
        heapq.heappush(self._heap, event)
        return event

    @property
    def next_cycles(self) -> int | None:
        """When the next event is due; None when there is none."""
        while self._heap and self._heap[0].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0].at_cycles if self._heap else None

    def run_until(self, now: int) -> None:
        """Do all that is due at `now`."""
        while (due := self.next_cycles) is not None and due <= now:
            heapq.heappop(self._heap).action()
