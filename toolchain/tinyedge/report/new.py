"""What a new project is, and what to do with it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tinyedge.report.table import format_pairs


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Proposal(Protocol):
    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def reasons(self) -> Mapping[str, str]: ...
    @property
    def facts(self) -> Sequence[tuple[str, str]]: ...


class _Start(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def template(self) -> _Named: ...
    @property
    def board(self) -> _Named: ...
    @property
    def made_up(self) -> bool: ...
    @property
    def proposal(self) -> _Proposal: ...
    @property
    def missing(self) -> Sequence[tuple[str, str]]: ...
    @property
    def next_steps(self) -> tuple[str, ...]: ...


class _Choices(Protocol):
    @property
    def folder(self) -> Path: ...
    @property
    def dry_run(self) -> bool: ...


class _Project(Protocol):
    @property
    def choices(self) -> _Choices: ...
    @property
    def start(self) -> _Start: ...
    @property
    def files(self) -> Mapping[str, bytes]: ...
    @property
    def why(self) -> str: ...


def next_commands(project: _Project) -> tuple[str, ...]:
    """What to type from here: into the folder, then three commands there."""
    return f"cd {shlex.quote(str(project.choices.folder))}", *project.start.next_steps


def render_new(project: _Project) -> str:
    """What it is made for and why, what is missing, and what to type next."""
    start, folder = project.start, project.choices.folder
    proposal = start.proposal
    pairs = [("template", project.why or start.template.name), ("board", start.board.name)]
    pairs.append(("task", str(proposal.values["task"])))
    pairs += proposal.facts
    if start.made_up:
        pairs.append(("made up", "the data in data/ is: it says nothing of real data"))
    done = "would be written to" if project.choices.dry_run else "written to"
    count = len(project.files)
    parts = [
        f"{start.name}\n\n{format_pairs(pairs)}",
        f"{count} files {done} {folder}; recipe.toml says why of each key",
    ]
    steps = "\n".join(f"  {command}" for command in next_commands(project))
    if start.missing:
        files = format_pairs([(f"  {folder / 'data' / name}", what) for name, what in start.missing])
        parts.append(f"missing, before it can be trained (`--with-example-data` makes some up)\n{files}")
        parts.append(f"then type\n{steps}")
    else:
        parts.append(f"type next\n{steps}")
    return "\n\n".join(parts) + "\n"


def new_document(project: _Project) -> dict[str, Any]:
    """`tinyedge.new/1`: the files, the recipe and why, what is missing, and what to type next."""
    start = project.start
    proposal = start.proposal
    return {
        "schema": "tinyedge.new/1",
        "project": start.name,
        "folder": str(project.choices.folder),
        "written": not project.choices.dry_run,
        "template": start.template.name,
        "why": project.why,
        "board": start.board.name,
        "made_up": start.made_up,
        "found": dict(proposal.facts),
        "recipe": dict(proposal.values),
        "reasons": dict(proposal.reasons),
        "files": sorted(project.files),
        "missing": [f"data/{name}" for name, _ in start.missing],
        "next": list(next_commands(project)),
    }
