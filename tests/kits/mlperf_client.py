"""A small client of MLPerf Tiny's runner protocol, and a pseudo-terminal for the official one."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import tty
from collections.abc import Iterator

from tinyedge.console.contract import Console

READY = "m-ready"
_BYTES_A_COMMAND = 31
_TIMEOUT_S = 120.0


class Client:
    """Talks to a firmware as the runner does: a command, and all lines up to `m-ready`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.banner = self._answer()

    def send(self, command: str) -> list[str]:
        """The lines of the answer, without the last."""
        self._console.write(f"{command}%".encode())
        return self._answer()

    def load(self, data: bytes) -> list[str]:
        """The answer to the last command."""
        answer = self.send(f"db load {len(data)}")
        for at in range(0, len(data), _BYTES_A_COMMAND):
            answer = self.send(f"db {data[at : at + _BYTES_A_COMMAND].hex()}")
        return answer

    def infer(self, count: int, warmups: int) -> tuple[list[float], float]:
        """(results, microseconds of one inference)"""
        return read_inference(self.send(f"infer {count} {warmups}"), count)

    def _answer(self) -> list[str]:
        lines: list[str] = []
        for raw in self._console.lines(_TIMEOUT_S):
            line = raw.decode().strip("\r")
            if line == READY:
                return lines
            lines.append(line)
        raise AssertionError(f"no `{READY}` behind {lines}")


def read_inference(lines: list[str], count: int) -> tuple[list[float], float]:
    """(results, microseconds of one inference) of the answer to `infer`."""
    results = next(match for line in lines if (match := re.fullmatch(r"m-results-\[(.*)\]", line)))
    first, last = (int(line.removeprefix("m-lap-us-")) for line in lines if line.startswith("m-lap-us-"))
    return [float(text) for text in results[1].split(",")], (last - first) / count


@contextlib.contextmanager
def pseudo_terminal(console: Console) -> Iterator[str]:
    """The name of a terminal whose other end is the console."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    ended = threading.Event()

    def to_terminal() -> None:
        while not ended.is_set():
            for line in console.lines(0.2):
                os.write(ours, line.rstrip(b"\r") + b"\r\n")

    def to_console() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(ours, 4096):
                console.write(data)

    threads = [threading.Thread(target=pump, daemon=True) for pump in (to_terminal, to_console)]
    for thread in threads:
        thread.start()
    try:
        yield os.ttyname(theirs)
    finally:
        ended.set()
        threads[0].join()
        os.close(theirs)
        os.close(ours)
