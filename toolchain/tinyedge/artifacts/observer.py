"""Who is told what a job does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Progress(Protocol):
    """Takes how much of the work is done, and which part of it is worked on."""

    def __call__(self, done: int, total: int, stage: str = "") -> None: ...


class Observer(Protocol):
    """Who is told what goes on: the command line's `Ui`, or a test's recorder."""

    def note(self, text: str) -> None: ...

    def detail(self, text: str) -> None: ...

    def progress(self, label: str) -> AbstractContextManager[Progress]: ...


class Silence:
    """An `Observer` that says nothing."""

    def note(self, text: str) -> None:
        del text

    def detail(self, text: str) -> None:
        del text

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        del label
        yield lambda done, total, stage="": None
