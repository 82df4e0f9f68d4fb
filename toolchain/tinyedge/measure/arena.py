"""The arena of an interpreter, found and proved by the firmware itself.

A probe (firmware_templates/tflm/te_arena_probe.c) searches the smallest size in which the interpreter starts; then the
real firmware has to pass its self-test in that size, and to refuse the next smaller one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tinyedge.console.contract import Console
from tinyedge.errors import CheckError, DeviceError
from tinyedge.measure.session import Session

STEP_BYTES = 16
"""sizes are multiples of this: what the interpreter aligns its memory to"""
_PROBE_TIMEOUT_S = 120.0
_LOG_MARK = b"tflm: "
_ARENA = re.compile(rb"arena (most |fault )?(\d{1,10}|none)")


@dataclass(frozen=True)
class ArenaProof:
    """How large an arena is, and how that is known."""

    bytes: int
    origin: str
    """in a sentence"""
    fails_bytes: int | None = None
    """the next smaller size, which was tried and failed; None where nothing was tried"""
    message: str = ""
    """what the interpreter said to that"""


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

    def write(self, text: bytes) -> None:
        self.console.write(text)

    def close(self) -> None:
        self.console.close()


def search_arena(console: Console, model: str, *, timeout_s: float = _PROBE_TIMEOUT_S) -> int:
    """The smallest arena in bytes, as the probe at `console` finds it.

    Raises: CheckError with the interpreter's words when not even all free memory is enough; DeviceError when the probe
    fails or does not end
    """
    logged = LoggedConsole(console)
    most = 0
    end = time.monotonic() + timeout_s
    while (left := end - time.monotonic()) > 0:
        line = next(iter(logged.lines(left)), None)
        found = _ARENA.fullmatch(line.strip()) if line is not None else None
        if found is None:
            continue
        if found[1] == b"most ":
            most = int(found[2])
        elif found[1] == b"fault ":
            raise DeviceError(
                f"TensorFlow Lite Micro stopped with a fault at {int(found[2]):#x} while the arena was searched",
                hint="`--runtime aot` runs the model without it; please report the model and the tree",
            )
        elif found[2] == b"none":
            raise CheckError(
                f"TensorFlow Lite Micro cannot start model `{model}` in the {most:,} B of RAM that are free"
                + quoted(logged.log),
                hint="`tinyedge boards` lists boards with more RAM; `--runtime aot` needs less",
            )
        else:
            return int(found[2])
    raise DeviceError(f"the search for the smallest arena did not end in {timeout_s:.0f} s")


def start_failure(console: Console) -> str | None:
    """Why the model of the firmware at `console` does not start; None when it does, and has passed its self-test.

    Raises: DeviceError when the firmware itself does not answer; CheckError when it starts and computes what the
    reference does not
    """
    logged = LoggedConsole(console)
    session = Session(logged)
    if session.wait_for_banner().selftest == "ok":
        return None
    try:
        session.run()
    except DeviceError as error:
        return "; ".join(logged.log) or error.what
    raise CheckError(
        "the firmware's self-test failed: TensorFlow Lite Micro on the board computes something else than on the host",
        hint="`--runtime aot` computes the host's result; please report the model and the tree",
    )


def quoted(log: list[str]) -> str:
    """Messages of the interpreter, one a line, for an error."""
    return "".join(f"\n       | {line}" for line in log[-8:])
