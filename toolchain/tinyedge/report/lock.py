"""tinyedge.lock as a file, and what is told of locks and drifts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tinyedge.artifacts.lock import Drift, Lock, LockedBuild
from tinyedge.errors import UsageError
from tinyedge.report.table import format_pairs, render_table
from tinyedge.tables import TableError, read_table, read_toml

LOCK_FILE = "tinyedge.lock"
_SCHEMA = 1
_HEAD = """\
# What firmwares were made from. Written by `tinyedge lock`; `tinyedge build --locked` refuses what differs. Not to be
# changed by hand; keep it in the repository.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _LockFile:
    """What the file holds."""

    version: int
    tinyedge: str
    code: str
    templates: str
    python: str
    system: str
    packages: dict[str, str] = dataclasses.field(default_factory=dict)
    build: tuple[LockedBuild, ...] = ()


def lock_text(lock: Lock) -> str:
    """The file; the same lock gives the same bytes."""
    lines = [_HEAD, f"version = {_SCHEMA}"]
    lines += [f"{key} = {_quoted(getattr(lock, key))}" for key in ("tinyedge", "code", "templates", "python", "system")]
    lines += [
        "",
        "[packages]",
        *(f"{_quoted(name)} = {_quoted(lock.packages[name])}" for name in sorted(lock.packages)),
    ]
    for build in lock.builds:
        values = {key: value for key, value in dataclasses.asdict(build).items() if value}
        lines += ["", "[[build]]", *(f"{key} = {_quoted(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def read_lock(path: Path) -> Lock:
    """Raises: UsageError when it breaks a rule, or another tinyedge wrote it in another form."""
    try:
        document = read_toml(path)
        if document.get("version") != _SCHEMA:
            raise TableError(f"its form is version {document.get('version')!r}; this tinyedge reads {_SCHEMA}")
        found = read_table(_LockFile, document)
    except TableError as error:
        raise UsageError(
            f"`{path}` is no lock: {error}", hint="remove it, and `tinyedge lock` writes it anew"
        ) from error
    return Lock(found.tinyedge, found.code, found.templates, found.python, found.system, found.packages, found.build)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def render_lock(lock: Lock, path: Path) -> str:
    """What was written."""
    rows = [(each.model, each.board, each.runtime, each.compiler, each.image_digest[:16]) for each in lock.builds]
    about = format_pairs([("tinyedge", lock.tinyedge), ("python", lock.python), ("packages", f"{len(lock.packages)}")])
    return f"{path}\n\n{about}\n\n{render_table(('model', 'board', 'runtime', 'compiler', 'image'), rows)}\n"


def lock_document(lock: Lock, path: Path) -> dict[str, Any]:
    """`tinyedge.lock/1`: the content of the file."""
    return {"schema": "tinyedge.lock/1", "file": str(path)} | dataclasses.asdict(lock)


def render_drifts(drifts: Sequence[Drift]) -> str:
    """What is not as it was locked."""
    if not drifts:
        return "everything is as it was locked\n"
    rows = [(each.what, _short(each.locked), _short(each.here)) for each in drifts]
    return render_table(("what", "locked", "here"), rows) + "\n"


def drifts_document(drifts: Sequence[Drift]) -> dict[str, Any]:
    """`tinyedge.outdated/1`: what is not as it was locked."""
    return {"schema": "tinyedge.outdated/1", "ok": not drifts, "drifts": [dataclasses.asdict(each) for each in drifts]}


def _short(text: str) -> str:
    return (text[:16] if len(text) == 64 else text) or "nothing"
