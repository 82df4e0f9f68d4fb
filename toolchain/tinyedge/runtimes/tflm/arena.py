"""The arena of an interpreter, found and proved by the firmware itself.

A probe (firmware_templates/tflm/te_arena_probe.c) tries sizes until the smallest in which the interpreter starts is
found; then the real firmware has to pass its self-test in that size, and to refuse the next smaller one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tinyedge import process
from tinyedge.console.contract import Console
from tinyedge.errors import CheckError, DeviceError
from tinyedge.measure.session import BANNER_TIMEOUT_S, IN_AN_EMULATOR, Session

STEP_BYTES = 16
"""sizes are multiples of this: what the interpreter aligns its memory to"""
_PROBE_TIMEOUT_S = 120.0
_QUOTED_LINES = 8
_LOG_MARK = b"tflm: "
_SAID = re.compile(rb"arena (most|works|fails|fault) (\d{1,10})")


@dataclass
class LoggedConsole:
    """A console that keeps what the interpreter logs."""

    console: Console
    log: list[str] = field(default_factory=list)

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        for line in self.console.lines(timeout_s):
            if line.startswith(_LOG_MARK):
                text = line.removeprefix(_LOG_MARK).decode("ascii", "replace").strip()
                if text not in self.log:
                    self.log.append(text)
            yield line

    def write(self, data: bytes) -> None:
        self.console.write(data)

    def close(self) -> None:
        self.console.close()


def search_arena(start: Callable[[], Console], model: str, *, timeout_s: float = _PROBE_TIMEOUT_S) -> int:
    """The smallest arena in bytes in which the interpreter of a probe starts.

    start  starts the probe; again each time that a size broke it

    Raises: CheckError with the interpreter's words when not even all free memory is enough; DeviceError when the probe
    does not answer
    """
    probe = _Probe(start, timeout_s)
    try:
        works, fails = probe.most_bytes(), 0
        if not probe.works(works):
            raise CheckError(
                f"TensorFlow Lite Micro cannot start model `{model}` in the {works:,} B of RAM that are free"
                + quoted(probe.log),
                hint="`tinyedge boards` lists boards with more RAM; `--runtime aot` needs less",
            )
        while works - fails > STEP_BYTES:
            middle = (works + fails) // 2 // STEP_BYTES * STEP_BYTES
            if probe.works(middle):
                works = middle
            else:
                fails = middle
        return works
    finally:
        probe.close()


class _Probe:
    """The firmware that tries sizes, started when it is needed."""

    def __init__(self, start: Callable[[], Console], timeout_s: float) -> None:
        self._start = start
        self._timeout_s = timeout_s
        self._console: LoggedConsole | None = None
        self.log: list[str] = []
        """what the interpreter said to the last size"""

    def most_bytes(self) -> int:
        """All memory there is for the arena."""
        self.close()
        self._console = LoggedConsole(self._start())
        return self._await(b"most")[1]

    def works(self, size: int) -> bool:
        """Whether the interpreter starts in `size` bytes; one that breaks on it does not."""
        if self._console is None:
            self.most_bytes()
        assert self._console is not None
        self._console.log.clear()
        self._console.write(b"%d\n" % size)
        verdict, tried = self._await(b"works", b"fails", b"fault")
        self.log = list(self._console.log)
        if verdict == b"fault":
            self.close()
            return False
        if tried != size:
            raise DeviceError(f"the probe tried an arena of {tried:,} B where {size:,} B were asked for")
        return verdict == b"works"

    def close(self) -> None:
        if self._console is not None:
            self._console.close()
            self._console = None

    def _await(self, *words: bytes) -> tuple[bytes, int]:
        """The first of the words that the probe says, and its number; `fault` too when an emulator ends it."""
        assert self._console is not None
        end = time.monotonic() + self._timeout_s
        while (left := end - time.monotonic()) > 0:
            try:
                line = next(iter(self._console.lines(left)), b"")
            except DeviceError as error:
                if b"fault" not in words:
                    raise
                self._console.log.append(error.what)
                return b"fault", 0
            found = _SAID.fullmatch(line.strip())
            if found is not None and found[1] in words:
                return found[1], int(found[2])
        raise DeviceError(
            f"the firmware that searches the arena said nothing for {self._timeout_s:.0f} s",
            hint="please report the model and the tree of TensorFlow Lite Micro",
        )


def start_failure(console: Console, timeout_s: float = BANNER_TIMEOUT_S) -> str | None:
    """Why the model of the firmware at `console` does not start; None when it does, and has passed its self-test.

    timeout_s  how long its banner may take, which comes after the inference of its self-test

    Raises: CheckError when it starts and computes what the reference does not
    """
    logged = LoggedConsole(console)
    session = Session(logged, advice=IN_AN_EMULATOR)
    try:
        if session.wait_for_banner(timeout_s).selftest == "ok":
            return None
        session.run()
    except DeviceError as error:
        return "; ".join(logged.log) or error.what
    raise CheckError(
        "the firmware's self-test failed: TensorFlow Lite Micro on the board computes something else than on the host",
        hint="`--runtime aot` computes the host's result; please report the model and the tree",
    )


def quoted(log: list[str]) -> str:
    """Messages of the interpreter, one a line, for an error."""
    return process.quote_log(log, most=_QUOTED_LINES)
