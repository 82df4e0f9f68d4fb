"""Where commands are told before they run, and whether they run at all."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path

from tinyedge.errors import InternalError

Argv = Sequence[str | os.PathLike[str]]


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


def announce(argv: Argv, cwd: Path | None) -> tuple[str, ...]:
    """The words of a command, which are logged."""
    if not argv:
        raise InternalError("an empty command line was to be run")
    words = tuple(os.fspath(word) for word in argv)
    if log := _settings.get().log:
        log(shlex.join(words) + (f"   (in {cwd})" if cwd else ""))
    return words


_CLEAN = ("PATH", "HOME", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT", "PATHEXT", "USERPROFILE", "LOCALAPPDATA")
"""what a program gets to see whose result may depend on nothing else: where programs and temporary files are"""


def environment(env: Mapping[str, str] | None, inherit: bool) -> dict[str, str] | None:
    """The environment with `env` added; None: as it is. Without `inherit`, little of it is left, in plain English."""
    if inherit:
        return {**os.environ, **env} if env else None
    kept = {name: os.environ[name] for name in _CLEAN if name in os.environ}
    return {**kept, "LANG": "C", "LC_ALL": "C", **(env or {})}
