"""Programs that run to their end, one or several at a time."""

from __future__ import annotations

import contextlib
import queue
import shlex
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

from tinyedge.errors import ToolError
from tinyedge.process.group import Children, end
from tinyedge.process.settings import Argv, announce, environment, is_dry_run
from tinyedge.process.words import describe_exit, full_disk_hint, quote_log

_WAKE_S = 0.5
"""how long a Ctrl-C may go unseen that comes just before a wait"""


@dataclass(frozen=True)
class Completed:
    """A program that ended, and what it printed (undecodable bytes replaced)."""

    argv: tuple[str, ...]
    returncode: int
    """negative: the signal that ended it"""
    stdout: str
    stderr: str
    seconds: float

    @property
    def output(self) -> str:
        """What it printed, standard error last."""
        return "\n".join(part for part in (self.stdout.rstrip(), self.stderr.rstrip()) if part)


def failure(completed: Completed) -> ToolError:
    """The error of a program that ended badly, with the last lines of what it printed."""
    quoted = quote_log(completed.output, empty="; it printed nothing")
    error = _error(completed, f"{describe_exit(completed.returncode)}{quoted}")
    error.hint = full_disk_hint(completed.output) or error.hint
    return error


def _error(completed: Completed, what: str) -> ToolError:
    return ToolError(f"`{Path(completed.argv[0]).name}` {what}", hint=f"the command was `{shlex.join(completed.argv)}`")


def run(
    argv: Argv,
    *,
    timeout_s: float,
    cwd: Path | None = None,
    input: bytes | str | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    inherit: bool = True,
) -> Completed:
    """Run a program to its end and return what it printed. `env` is added to the environment.

    inherit  False: of the environment it sees only where programs and temporary files are, so that no variable of the
             user's changes its result

    A dry run logs the command and returns exit code 0 with no output.

    Raises: ToolError when it cannot be started, takes longer than `timeout_s` seconds, or, with `check`, fails
    """
    return _run(announce(argv, cwd), Children(), timeout_s, cwd, input, check, environment(env, inherit))


def _run(
    words: tuple[str, ...],
    scope: Children,
    timeout_s: float,
    cwd: Path | None,
    text: bytes | str | None,
    check: bool,
    env: Mapping[str, str] | None,
) -> Completed:
    """`env` is the whole environment; None: this process's."""
    if is_dry_run():
        return Completed(words, 0, "", "", 0.0)
    started = time.monotonic()
    data = text.encode() if isinstance(text, str) else text
    try:
        child = scope.spawn(
            words,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL if data is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    except KeyboardInterrupt:
        scope.cancel()
        raise
    try:
        out, err = child.communicate(data, timeout_s)
    except subprocess.TimeoutExpired as error:
        end(child)
        partial = Completed(words, -1, _text(error.stdout), _text(error.stderr), time.monotonic() - started)
        what = f"did not end within {timeout_s:g} s and was killed{quote_log(partial.output)}"
        raise _error(partial, what) from None
    except BaseException:
        end(child)
        raise
    finally:
        scope.forget(child)
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    completed = Completed(words, child.returncode, _text(out), _text(err), time.monotonic() - started)
    if check and completed.returncode != 0:
        raise failure(completed)
    return completed


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


def run_parallel(
    commands: Sequence[Argv],
    *,
    jobs: int,
    timeout_s: float,
    on_done: Callable[[int, Completed], None] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    inherit: bool = True,
) -> list[Completed]:
    """Run independent commands, at most `jobs` at a time; results in the order of `commands`.

    env, inherit  as `run` takes them

    `on_done(index, completed)` is called in the calling thread as each one succeeds. The first failure, or a
    Ctrl-C, ends the ones still running and starts no more.

    Raises: ToolError of the first command that failed
    """
    scope = Children()
    finished: queue.SimpleQueue[int] = queue.SimpleQueue()
    results: list[Completed | None] = [None] * len(commands)
    pool = ThreadPoolExecutor(max_workers=max(1, jobs))

    def work(argv: Argv) -> Completed:
        return _run(announce(argv, cwd), scope, timeout_s, cwd, None, True, environment(env, inherit))

    try:
        futures: list[Future[Completed]] = []
        for index, argv in enumerate(commands):
            future = pool.submit(copy_context().run, work, argv)
            future.add_done_callback(lambda _, index=index: finished.put(index))  # type: ignore[misc]
            futures.append(future)
        for _ in commands:
            index = _next(finished)
            completed = results[index] = futures[index].result()
            if on_done is not None:
                on_done(index, completed)
    except BaseException:
        scope.cancel()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [completed for completed in results if completed is not None]


def _next(finished: queue.SimpleQueue[int]) -> int:
    """What comes next. A wait without end would sleep through a signal that comes as it begins."""
    while True:
        with contextlib.suppress(queue.Empty):
            return finished.get(timeout=_WAKE_S)
