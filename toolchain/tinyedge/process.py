"""The only caller of subprocess: every program tinyedge runs is started, logged, timed out and killed here.

Each child gets a process group of its own, so that a Ctrl-C or a time-out ends it together with whatever it
started, and so that a Ctrl-C in the terminal reaches tinyedge alone, which then ends its children in order.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from tinyedge.errors import InternalError, MissingToolError, ToolError, UsageError
from tinyedge.install import package_command

Argv = Sequence[str | os.PathLike[str]]

_GRACE_S = 2.0
"""what a child gets between the request to end and the kill"""
_TAIL_LINES = 12
"""lines of a failed program's output that its error quotes"""


@dataclass(frozen=True)
class _Settings:
    log: Callable[[str], None] | None = None
    dry_run: bool = False


_settings: ContextVar[_Settings] = ContextVar("tinyedge_process", default=_Settings())  # noqa: B039 - frozen


@contextlib.contextmanager
def configured(*, log: Callable[[str], None] | None = None, dry_run: bool | None = None) -> Iterator[None]:
    """Within the block every command goes to `log` as text, and in a dry run nothing is executed.

    What is left out keeps its value of the surrounding block.
    """
    old = _settings.get()
    new = replace(old, log=log or old.log, dry_run=old.dry_run if dry_run is None else dry_run)
    token = _settings.set(new)
    try:
        yield
    finally:
        _settings.reset(token)


def is_dry_run() -> bool:
    return _settings.get().dry_run


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


def find(tool: str) -> Path | None:
    """The path of a program on PATH (or of a path given as such), None when there is none."""
    found = shutil.which(tool)
    return Path(found) if found else None


def require(tool: str, hint: str) -> Path:
    """The path of a program. In a dry run it need not be there.

    Raises: MissingToolError that names the way to install it (`hint`).
    """
    found = find(tool)
    if found is not None:
        return found
    if is_dry_run():
        return Path(tool)
    raise MissingToolError(f"`{tool}` is not installed, or not on PATH", hint=hint)


def python_module(module: str, *arguments: str, hint: str = "") -> list[str]:
    """The command that runs a Python package of this interpreter as a program.

    Raises: MissingToolError when the package is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingToolError(
            f"the Python package `{module}` is not installed", hint=hint or f"`{package_command(module)}` installs it"
        )
    return [sys.executable, "-P", "-m", module, *arguments]  # -P: never import from the current folder


def failure(completed: Completed) -> ToolError:
    """The error of a program that ended badly, with the last lines of what it printed."""
    name = Path(completed.argv[0]).name
    lines = [line for line in completed.output.splitlines() if line.strip()]
    quoted = "".join(f"\n       | {line}" for line in lines[-_TAIL_LINES:]) or "; it printed nothing"
    return ToolError(
        f"`{name}` {describe_exit(completed.returncode)}{quoted}",
        hint=f"the command was `{shlex.join(completed.argv)}`",
    )


def describe_exit(returncode: int) -> str:
    """An exit code in words.

    >>> describe_exit(3), describe_exit(-9)
    ('ended with exit code 3', 'was ended by SIGKILL')
    """
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"


class _Children:
    """Children alive, so that none outlives tinyedge. Once cancelled, the scope accepts no new ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._cancelled = False

    def spawn(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._cancelled:
                raise ToolError(f"`{Path(argv[0]).name}` was not started: another command failed")
            with _interrupt_held():
                child = _popen(argv, **options)
                self._alive.add(child)
        return child

    def forget(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._alive.discard(child)

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            alive = list(self._alive)
        for child in alive:
            _signal_group(child, force=True)


@contextlib.contextmanager
def _interrupt_held() -> Iterator[None]:
    """A Ctrl-C within the block takes effect at its end: a child half-started would be nobody's."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    old = signal.signal(signal.SIGINT, lambda number, frame: pressed.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
    if pressed:
        raise KeyboardInterrupt


_long_running = _Children()
atexit.register(_long_running.cancel)


def _popen(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    if sys.platform == "win32":
        options["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
    else:
        options["start_new_session"] = True
    name = Path(argv[0]).name
    try:
        return subprocess.Popen(list(argv), **options)
    except FileNotFoundError as error:
        if options.get("cwd") and not Path(options["cwd"]).is_dir():
            raise ToolError(f"`{name}` cannot be started: the folder {options['cwd']} does not exist") from error
        raise MissingToolError(f"`{name}` is not installed, or not on PATH") from error
    except OSError as error:
        raise ToolError(f"`{name}` cannot be started: {error.strerror or error}") from error


def _signal_group(child: subprocess.Popen[bytes], *, force: bool) -> None:
    """Ask the child and all it started to end, or kill them."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            child.kill() if force else child.terminate()
        else:
            os.killpg(child.pid, signal.SIGKILL if force else signal.SIGTERM)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child's whole group and reap the child. A second Ctrl-C meanwhile kills at once."""
    try:
        _signal_group(child, force=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)
    finally:
        _signal_group(child, force=True)
        child.wait()


def _announce(argv: Argv, cwd: Path | None) -> tuple[str, ...]:
    if not argv:
        raise InternalError("an empty command line was to be run")
    words = tuple(os.fspath(word) for word in argv)
    if log := _settings.get().log:
        log(shlex.join(words) + (f"   (in {cwd})" if cwd else ""))
    return words


def _environment(env: Mapping[str, str] | None) -> dict[str, str] | None:
    return {**os.environ, **env} if env else None


def run(
    argv: Argv,
    *,
    timeout_s: float,
    cwd: Path | None = None,
    input: bytes | str | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> Completed:
    """Run a program to its end and return what it printed. `env` is added to the environment.

    A dry run logs the command and returns exit code 0 with no output.

    Raises: ToolError when it cannot be started, takes longer than `timeout_s` seconds, or, with `check`, fails
    """
    return _run(_announce(argv, cwd), _Children(), timeout_s, cwd, input, check, env)


def _run(
    words: tuple[str, ...],
    scope: _Children,
    timeout_s: float,
    cwd: Path | None,
    text: bytes | str | None,
    check: bool,
    env: Mapping[str, str] | None,
) -> Completed:
    if is_dry_run():
        return Completed(words, 0, "", "", 0.0)
    started = time.monotonic()
    data = text.encode() if isinstance(text, str) else text
    try:
        child = scope.spawn(
            words,
            cwd=cwd,
            env=_environment(env),
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
        _end(child)
        partial = Completed(words, -1, _text(error.stdout), _text(error.stderr), time.monotonic() - started)
        raise _timed_out(partial, timeout_s) from None
    except BaseException:
        _end(child)
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


def _timed_out(partial: Completed, timeout_s: float) -> ToolError:
    lines = [line for line in partial.output.splitlines() if line.strip()]
    quoted = "".join(f"\n       | {line}" for line in lines[-_TAIL_LINES:])
    return ToolError(
        f"`{Path(partial.argv[0]).name}` did not end within {timeout_s:g} s and was killed{quoted}",
        hint=f"the command was `{shlex.join(partial.argv)}`",
    )


def run_parallel(
    commands: Sequence[Argv],
    *,
    jobs: int,
    timeout_s: float,
    on_done: Callable[[int, Completed], None] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> list[Completed]:
    """Run independent commands, at most `jobs` at a time; results in the order of `commands`.

    `on_done(index, completed)` is called in the calling thread as each one succeeds. The first failure, or a
    Ctrl-C, ends the ones still running and starts no more.

    Raises: ToolError of the first command that failed
    """
    scope = _Children()
    finished: queue.SimpleQueue[int] = queue.SimpleQueue()
    results: list[Completed | None] = [None] * len(commands)
    pool = ThreadPoolExecutor(max_workers=max(1, jobs))

    def work(argv: Argv) -> Completed:
        return _run(_announce(argv, cwd), scope, timeout_s, cwd, None, True, env)

    try:
        futures: list[Future[Completed]] = []
        for index, argv in enumerate(commands):
            future = pool.submit(copy_context().run, work, argv)
            future.add_done_callback(lambda _, index=index: finished.put(index))  # type: ignore[misc]
            futures.append(future)
        for _ in commands:
            index = finished.get()
            completed = results[index] = futures[index].result()
            if on_done is not None:
                on_done(index, completed)
    except BaseException:
        scope.cancel()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [completed for completed in results if completed is not None]


class Child:
    """A long-running program with pipes. Ends with `stop()`, with the block of `with`, or with tinyedge.

    `stdin`, `stdout` and `stderr` are unbuffered binary pipes; `stderr` is None when it was merged into `stdout`.
    """

    def __init__(self, words: tuple[str, ...], popen: subprocess.Popen[bytes]) -> None:
        self.argv = words
        self._popen = popen
        self.stdin = cast(IO[bytes], popen.stdin)
        self.stdout = cast(IO[bytes], popen.stdout)
        self.stderr = popen.stderr

    @property
    def name(self) -> str:
        return Path(self.argv[0]).name

    @property
    def pid(self) -> int:
        return self._popen.pid

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
            _end(self._popen)
        else:
            _signal_group(self._popen, force=True)
        _long_running.forget(self._popen)
        return self._popen.returncode

    def close_pipes(self) -> None:
        for pipe in (self.stdin, self.stdout, self.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

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
    merge_stderr: bool = False,
    pass_fds: Sequence[int] = (),
) -> Child:
    """Start a long-running program with pipes to its standard streams. `env` is added to the environment.

    Raises: ToolError when it cannot be started; UsageError in a dry run, which has nothing to talk to
    """
    words = _announce(argv, cwd)
    if is_dry_run():
        raise UsageError(f"`{Path(words[0]).name}` has to run: its answers are needed", hint="leave out the dry run")
    options: dict[str, Any] = {"pass_fds": tuple(pass_fds)} if pass_fds else {}
    popen = _long_running.spawn(
        words,
        cwd=cwd,
        env=_environment(env),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge_stderr else subprocess.PIPE,
        bufsize=0,
        **options,
    )
    return Child(words, popen)
