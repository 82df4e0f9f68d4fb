"""An observer of a job that keeps to itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tinyedge.artifacts import Progress


class Quiet:
    """Listens, and says nothing."""

    def note(self, text: str) -> None:
        del text

    def detail(self, text: str) -> None:
        del text

    @contextlib.contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        del label
        yield lambda done, total, stage="": None
