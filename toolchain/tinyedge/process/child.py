"""Programs that run on while tinyedge talks to them."""

from __future__ import annotations

import atexit
import contextlib
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from tinyedge.errors import UsageError
from tinyedge.process.group import Children, end
from tinyedge.process.settings import Argv, announce, environment, is_dry_run
from tinyedge.systems import signal_group

_KEPT_BYTES = 4096
"""what is kept of the end of standard error"""
_LONGEST_LINE_BYTES = 1 << 20
_DRAIN_TIMEOUT_S = 1.0
"""how long the rest of standard error may take to arrive when the program has ended"""

_long_running = Children()
atexit.register(_long_running.cancel)


class Child:
    """A long-running program with pipes. Ends with `stop()`, with the block of `with`, or with tinyedge.

    `stdin` and `stdout` are unbuffered binary pipes. Standard error is drained by a thread, which keeps its end.
    """

    def __init__(self, words: tuple[str, ...], popen: subprocess.Popen[bytes]) -> None:
        self.argv = words
        self._popen = popen
        self.stdin = cast(IO[bytes], popen.stdin)
        self.stdout = cast(IO[bytes], popen.stdout)
        self._stderr = popen.stderr
        self._said = b""
        self._drain = threading.Thread(target=self._drain_stderr, name=f"{self.name} stderr", daemon=True)
        self._drain.start()

    @property
    def name(self) -> str:
        return Path(self.argv[0]).name

    @property
    def pid(self) -> int:
        return self._popen.pid

    def lines(self, longest_bytes: int = _LONGEST_LINE_BYTES) -> Iterator[str]:
        """What it prints, line by line, blank ones too, until it closes its output; a longer line comes in pieces."""
        with contextlib.suppress(ValueError), open(self.stdout.fileno(), "rb", closefd=False) as stream:  # closed
            while line := stream.readline(longest_bytes):
                yield line.decode("utf-8", "replace").rstrip("\r\n")

    def last_words(self) -> list[str]:
        """The last lines it wrote to standard error, blank ones left out; the very last once it has ended."""
        if self.poll() is not None:
            self._drain.join(_DRAIN_TIMEOUT_S)
        return [line for line in self._said.decode("utf-8", "replace").splitlines() if line.strip()]

    def _drain_stderr(self) -> None:
        if self._stderr is None:
            return
        with self._stderr as stream:
            while piece := stream.read(_KEPT_BYTES):
                self._said = (self._said + piece)[-_KEPT_BYTES:]

    def poll(self) -> int | None:
        """Its exit code (negative: the signal that ended it), None while it runs."""
        return self._popen.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, None when it still runs after `timeout_s` seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout_s)
        return self._popen.poll()

    def stop(self) -> int:
        """End it and all it started, reap it, and return its exit code. Safe to call twice.

        The pipes stay open for what is left in them; `close_pipes` releases them.
        """
        if self._popen.poll() is None:
            end(self._popen)
        else:
            signal_group(self._popen, force=True)
        _long_running.forget(self._popen)
        return self._popen.returncode

    def close_pipes(self) -> None:
        """Close those to it; that of its standard error closes when nothing it started holds it any longer."""
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._drain.join(_DRAIN_TIMEOUT_S)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.close_pipes()


def start(
    argv: Argv,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    inherit: bool = True,
    merge_stderr: bool = False,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a long-running program with pipes to its standard streams; `env` and `inherit` as `run` takes them.

    Raises: ToolError when it cannot be started; UsageError in a dry run, which has nothing to talk to
    """
    words = announce(argv, cwd)
    if is_dry_run():
        raise UsageError(f"`{Path(words[0]).name}` has to run: its answers are needed", hint="leave out the dry run")
    options: dict[str, Any] = {"pass_fds": tuple(pass_fds)} if pass_fds else {}
    popen = _long_running.spawn(
        words,
        cwd=cwd,
        env=environment(env, inherit),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge_stderr else subprocess.PIPE,
        bufsize=0,
        **options,
    )
    return Child(words, popen)
