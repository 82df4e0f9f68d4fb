"""A firmware behind the pipes of a process, driven without the parser that is under test elsewhere."""

from __future__ import annotations

import base64
import os
import select
import subprocess
import time
from pathlib import Path

from tinyedge import wire


class FirmwarePipe:
    """Sends bytes and requests, receives good lines. Leaving its context closes stdin and ends the process."""

    def __init__(self, *command: str | Path, ends_with_stdin: bool = True) -> None:
        self.ends_with_stdin = ends_with_stdin
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.received = b""

    def __enter__(self) -> FirmwarePipe:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        if not self.ends_with_stdin:
            self.process.kill()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def line(self, timeout_s: float = 10.0) -> bytes | None:
        """The next line, without its line feed; None when none comes in time or the process has ended."""
        assert self.process.stdout is not None
        end = time.monotonic() + timeout_s
        while b"\n" not in self.received:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, end - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not data:
                return None
            self.received += data
        line, _, self.received = self.received.partition(b"\n")
        return line

    def decoded(self, timeout_s: float = 10.0) -> tuple[str, int, str]:
        """The next line that is not empty, taken apart; it must be good."""
        while (line := self.line(timeout_s)) == b"":
            pass
        assert line is not None, "the firmware is silent"
        decoded = wire.decode_line(line)
        assert decoded is not None, line
        return decoded

    def silent(self, timeout_s: float = 0.2) -> bool:
        return self.line(timeout_s) is None

    def ask(self, sequence: int, words: str) -> str:
        """The words of the reply to a request."""
        self.send(wire.encode_line(wire.MARK_REQUEST, sequence, words))
        mark, number, reply = self.decoded()
        assert (mark, number) == (wire.MARK_REPLY, sequence)
        return reply

    def values(self, sequence: int, words: str) -> dict[str, str]:
        """The key=value words of an `ok` reply."""
        status, *pairs = self.ask(sequence, words).split(" ")
        assert status == wire.OK, (words, status, pairs)
        return dict(pair.split("=", 1) for pair in pairs)


def in_requests(index: int, data: bytes) -> list[str]:
    """The requests that write an input, chunk by chunk."""
    return [
        f"in {index} {at} {base64.b64encode(data[at : at + wire.CHUNK_BYTES]).decode()}"
        for at in range(0, len(data), wire.CHUNK_BYTES)
    ]


def out_requests(index: int, count: int) -> list[str]:
    """The requests that read an output, chunk by chunk."""
    return [f"out {index} {at} {min(wire.CHUNK_BYTES, count - at)}" for at in range(0, count, wire.CHUNK_BYTES)]
