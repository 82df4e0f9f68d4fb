"""What a person sees while a command works: stage lines and progress bars on stderr, data on stdout."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from tinyedge import process

_SHOW_AFTER_S = 1.5
_REDRAW_S = 0.2
_BAR_WIDTH = 24


class Ui:
    """Where a command speaks. `verbose` counts `-v`."""

    def __init__(self, *, as_json: bool = False, verbose: int = 0) -> None:
        self.as_json = as_json
        self.verbose = verbose

    def note(self, text: str) -> None:
        """A line for people, on stderr."""
        click.echo(text, err=True)

    def detail(self, text: str) -> None:
        """A line for people who asked for `-v`."""
        if self.verbose:
            click.echo(text, err=True)

    def result(self, text: str, document: dict[str, Any]) -> None:
        """The result of the command on stdout: `document` with `--json`, else `text`."""
        click.echo(json.dumps(document, indent=2) if self.as_json else text.rstrip("\n"))

    @contextmanager
    def commands_logged(self) -> Iterator[None]:
        """Print every program that is started, when the user asked for `-vv`."""
        with process.configured(log=self.note if self.verbose > 1 else None):
            yield

    @contextmanager
    def progress(self, label: str) -> Iterator[Bar]:
        """A progress bar that appears when the work takes longer than a moment."""
        bar = Bar(label)
        try:
            yield bar
        finally:
            bar.finish()


class Bar:
    """One line on stderr: label, bar, share, seconds. Call it with (done, total) as work proceeds.

    On a terminal the line is redrawn several times a second by a thread, also while nothing is reported; elsewhere a
    line is written when the work has become long, and one when it is done.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._stage = ""
        self._done = 0
        self._total = 0
        self._start = time.monotonic()
        self._shown = False
        self._tty = sys.stderr.isatty()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._redraw, daemon=True)
        self._thread.start()

    def __call__(self, done: int, total: int, stage: str = "") -> None:
        """Report progress, and which part of the work it is of."""
        self._done, self._total, self._stage = done, total, stage

    def finish(self) -> None:
        self._stop.set()
        self._thread.join()
        if not self._shown:
            return
        seconds = time.monotonic() - self._start
        end = "\r\033[K" if self._tty else ""
        click.echo(f"{end}{self._label}: {seconds:.1f} s", err=True)

    def _redraw(self) -> None:
        while not self._stop.wait(_REDRAW_S):
            seconds = time.monotonic() - self._start
            if seconds < _SHOW_AFTER_S or (self._shown and not self._tty):
                continue
            self._shown = True
            if self._tty:
                click.echo(f"\r\033[K{self._line(seconds)}", err=True, nl=False)
            else:
                click.echo(f"{self._label} ...", err=True)

    def _line(self, seconds: float) -> str:
        label = f"{self._label}: {self._stage}" if self._stage else self._label
        if not self._total:
            return f"{label}  {seconds:.0f} s"
        filled = _BAR_WIDTH * min(self._done, self._total) // self._total
        bar = "#" * filled + "-" * (_BAR_WIDTH - filled)
        return f"{label}  [{bar}] {self._done:,}/{self._total:,}  {seconds:.0f} s"
