"""What a person sees while a command works: stage lines and progress bars on stderr, data on stdout.

Nothing is imported here that `tinyedge --help` does not need.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tinyedge.errors import TinyEdgeError

if TYPE_CHECKING:
    from rich.progress import Progress

_SHOW_AFTER_S = 1.5


_RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""what moves the cursor, changes colours or the direction of writing; tabs and line feeds are ours"""


def printable(text: str) -> str:
    """Text that a terminal shows as it is: a name from a file may hold anything.

    >>> printable("t\\x1b[31m")
    't\\\\x1b[31m'
    """
    return _RAW.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def terminal_columns() -> int | None:
    """How wide the terminal is that results go to; None when they go elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fold(text: str, columns: int) -> str:
    """Lines that are longer folded between words, what follows as far in as what began them.

    >>> print(fold("- one two three four five\\nsix", 20))
    - one two three four
      five
    six
    """
    lines = []
    for line in text.split("\n"):
        if len(line) <= columns:
            lines.append(line)
            continue
        lead = re.match(r" *(?:[-*] )?", line)
        indent = " " * len(lead[0]) if lead is not None else ""
        lines += textwrap.wrap(
            line, max(columns, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines)


class Ui:
    """Where a command speaks. `verbose` counts `-v`; `plain` is for scripts: no bars, and nothing folded."""

    def __init__(self, *, as_json: bool = False, verbose: int = 0, plain: bool = False) -> None:
        self.as_json = as_json
        self.verbose = verbose
        self.plain = plain

    def note(self, text: str) -> None:
        """A line for people, on stderr."""
        click.echo(printable(text), err=True)

    def detail(self, text: str) -> None:
        """A line for people who asked for `-v`."""
        if self.verbose:
            click.echo(printable(text), err=True)

    def result(self, text: str, document: dict[str, Any]) -> None:
        """The result of the command on stdout: `document` with `--json`, else `text`."""
        columns = None if self.plain else terminal_columns()
        shown = printable(text.rstrip("\n"))
        try:
            click.echo(
                json.dumps(document, indent=2) if self.as_json else shown if columns is None else fold(shown, columns)
            )
        except BrokenPipeError:
            raise
        except OSError as error:
            sys.stdout = None  # else the interpreter tries again as it ends
            raise TinyEdgeError(
                f"the result cannot be written to standard output: {error.strerror or error}",
                hint="free some space where it goes; what was made is kept, and the same command shows it again",
            ) from error

    @contextmanager
    def commands_logged(self) -> Iterator[None]:
        """Print every program that is started, when the user asked for `-vv`."""
        from tinyedge import process

        with process.configured(log=self.note if self.verbose > 1 else None):
            yield

    @contextmanager
    def progress(self, label: str) -> Iterator[Bar]:
        """A progress bar that appears when the work takes longer than a moment."""
        bar = Bar(label, plain=self.plain)
        try:
            yield bar
        finally:
            bar.finish()


class Bar:
    """How far a work is, on stderr. Call it with (done, total) as the work proceeds.

    A terminal shows a bar with the time that passed and the time that is left, of the part of the work that is done
    now; elsewhere a line is written when the work has become long, and one when it is done.
    """

    def __init__(self, label: str, *, plain: bool = False) -> None:
        self._label = label
        self._plain = plain
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._stage = ""
        self._done, self._total = 0, 0
        self._shown = False
        self._progress: Progress | None = None
        self._finished = threading.Event()
        self._thread = threading.Thread(target=self._appear, daemon=True)
        self._thread.start()

    def __call__(self, done: int, total: int, stage: str = "") -> None:
        """Report progress, and which part of the work it is of."""
        with self._lock:
            begins = stage != self._stage
            self._done, self._total, self._stage = done, total, stage
            self._update(begins=begins)

    def finish(self) -> None:
        self._finished.set()
        self._thread.join()
        if self._progress is not None:
            self._progress.stop()
        if self._shown:
            self._say(f"{self._label}: {time.monotonic() - self._start:.1f} s")

    def _appear(self) -> None:
        if self._finished.wait(_SHOW_AFTER_S):
            return
        self._shown = True
        if self._plain or not (sys.stderr.isatty() and os.environ.get("TERM") != "dumb"):
            self._say(f"{self._label} ...")
            return
        progress = _new_progress()
        with self._lock:
            progress.add_task(self._label, total=None)
            self._progress = progress
            self._update(begins=False)
        progress.start()

    def _update(self, *, begins: bool) -> None:
        """Show what was last reported; the clock starts again where another part of the work begins."""
        if self._progress is None:
            return
        (task,) = self._progress.task_ids
        if begins:
            self._progress.reset(task)
        label = f"{self._label}: {self._stage}" if self._stage else self._label
        self._progress.update(task, description=label, completed=self._done, total=self._total or None)

    def _say(self, line: str) -> None:
        click.echo(line, err=True)


def _new_progress() -> Progress:
    """Label, bar, count, time passed, time left. It goes when it is done, and lines written meanwhile stand above."""
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True, force_terminal=True, highlight=False),
        transient=True,
        redirect_stdout=False,  # results go there alone
    )
