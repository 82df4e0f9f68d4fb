"""What operating systems do differently, in one place: nothing else calls what only POSIX or only Linux has.

Where a system lacks something, the function does what is left to do, or raises ToolError in words for a user.
"""

from __future__ import annotations

import contextlib
import io
import os
import platform
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from tinyedge.errors import ToolError

_POLL_S = 0.002
"""between two looks at what cannot be waited for (Windows, RFC 2217)"""


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """What the processor calls itself, as far as the system tells."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "Hardware") and value.strip():
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def user_id() -> int | None:
    """Who the user is to the file system; None where folders of a profile are the user's own."""
    return os.getuid() if hasattr(os, "getuid") else None


def was_killed(exit_code: int | None) -> bool:
    """Whether a child was ended from outside, as a system does that runs out of memory."""
    return hasattr(signal, "SIGKILL") and exit_code == -signal.SIGKILL


def new_group() -> dict[str, Any]:
    """The options of `Popen` that give a child a group of its own, which a Ctrl-C in the terminal does not reach."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def signal_group(child: subprocess.Popen[bytes], *, force: bool) -> None:
    """Ask a child of `new_group` and all it started to end, or kill them; on Windows the child alone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            child.kill() if force else child.terminate()
        else:
            os.killpg(child.pid, signal.SIGKILL if force else signal.SIGTERM)


def succeeds_apart(action: Callable[[], object]) -> bool:
    """Whether `action` returns in a copy of this process, which it may break. Raises: ToolError without `fork`."""
    if not hasattr(os, "fork"):
        raise ToolError("this system cannot copy a process", hint="run it on Linux or macOS")
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(Exception):
            action()
            code = 0
        os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def never_block(pipe: IO[bytes]) -> None:
    """Writes to a pipe take what fits at once, where the system has that; elsewhere they wait."""
    if os.name == "posix":
        os.set_blocking(pipe.fileno(), False)


def wait_writable(pipe: IO[bytes], seconds: float) -> None:
    """Wait until a pipe takes bytes, at most that long."""
    if os.name == "posix":
        select.select([], [pipe], [], seconds)
    else:
        time.sleep(min(seconds, _POLL_S))


def wait_readable(source: Any, seconds: float) -> None:
    """Wait for a byte of whatever has a `fileno`, or of a descriptor, at most that long; a nap where none can wait.

    Raises: OSError, ValueError when it is closed
    """
    try:
        descriptor = source if isinstance(source, int) else source.fileno()
    except (io.UnsupportedOperation, AttributeError):
        time.sleep(min(seconds, _POLL_S))
        return
    if os.name == "posix":
        select.select([descriptor], [], [], seconds)
    else:
        time.sleep(min(seconds, _POLL_S))


def has_terminals() -> bool:
    """Whether programs can hand out a line as a pseudo-terminal."""
    return os.name == "posix"


def open_terminal(path: Path) -> int:
    """The descriptor of a pseudo-terminal at `path`, which passes bytes as they are and never blocks.

    What came before it was opened is kept. Raises: OSError; ToolError where there are no pseudo-terminals
    """
    if not has_terminals():
        raise ToolError("this system has no pseudo-terminals", hint="run it on Linux or macOS")
    import termios
    import tty

    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        os.set_blocking(descriptor, False)
    except termios.error as error:
        os.close(descriptor)
        raise OSError(*error.args) from error
    return descriptor


@contextlib.contextmanager
def orderly_end() -> Iterator[None]:
    """Within the block a request to end (SIGTERM, a closed terminal) is what Ctrl-C is: files and children are tidied.

    It has effect in the main thread alone, where signals arrive.
    """
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # who chose to ignore it, as nohup does, is heeded
    with _handled(numbers, _interrupt, lambda handler: handler is signal.SIG_DFL):
        yield


def end_at_once() -> None:
    """From now on Ctrl-C and a request to end are the end of this process, a worker, without a word of it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _interrupt(number: int, frame: object) -> None:
    """The first request ends the work; what comes while it is tidied up is too late to matter."""
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handled(
    numbers: Iterable[int], handler: Callable[[int, object], None], may: Callable[[object], bool]
) -> Iterator[None]:
    """Signals whose handler `may` be replaced go to `handler` within the block; none outside the main thread."""
    old: dict[int, Any] = {}
    try:
        for number in numbers:
            if may(signal.getsignal(number)):
                old[number] = signal.signal(number, handler)
    except ValueError:  # not the main thread
        pass
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)


@contextlib.contextmanager
def interrupts_held() -> Iterator[None]:
    """A Ctrl-C, or a request to end, within the block takes effect at its end; in the main thread alone."""
    pressed: list[int] = []
    with _handled((signal.SIGINT, signal.SIGTERM), lambda number, frame: pressed.append(number), callable):
        yield
    if pressed:
        raise KeyboardInterrupt
