"""The files of a new project, all of them before any is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from tinyedge import __version__
from tinyedge.boards import Board
from tinyedge.data import DataTable
from tinyedge.features import KINDS
from tinyedge.install import DISTRIBUTION
from tinyedge.new.contract import Found, Proposal, Template
from tinyedge.paths import templates_dir
from tinyedge.table_text import Explained, Kinds, toml_text
from tinyedge.templates import environment
from tinyedge.train.augment import AUGMENTATIONS
from tinyedge.train.compress import TECHNIQUES
from tinyedge.train.recipe import RecipeFile
from tinyedge.train.source import MADE_UP

_FOLDER = "new"
_RECORDS = {"motion": "imu", "sound": "audio"}
"""sorts of data that `tinyedge collect` records: what it calls them"""
_HEAD = """\
# The recipe of `{name}`: what `tinyedge train` does. Every key that there is stands here with what it means; those
# that are commented out have the value that holds without them (... where there is none). `->` says why.

"""
_SETTINGS_HEAD = """\
# What every `tinyedge` command in this folder and below begins with; its options go over it. Every key stands here.

"""
_MADE_UP_TEXT = """\
# drawn by `tinyedge new --with-example-data`; says nothing of real data

Delete this file once there are real recordings here: reports repeat its first line.
"""


@dataclass(frozen=True)
class Start:
    """What a project is made from.

    found     what a look at data gave; None: what the template assumes, or brings
    made_up   the data of the template's example comes with it
    settings  the dataclass of tinyedge.toml
    """

    name: str
    template: Template
    board: Board
    settings: type
    found: Found | None = None
    made_up: bool = False

    @property
    def proposal(self) -> Proposal:
        """Of the data, or of what the template assumes of it."""
        found = self.found or self.template.assumed
        if found is None or not self.missing:
            return self.template.propose(found, self.board)
        return _unseen(self.template.propose(replace(found, group="", subjects=0), self.board), found)

    @property
    def missing(self) -> Sequence[tuple[str, str]]:
        """(file below data/, what it is) of what has to be there before anything can be trained."""
        return () if self.made_up or self.found is not None else self.template.layout

    @property
    def next_steps(self) -> tuple[str, ...]:
        """Three commands to type in the project's folder."""
        return "tinyedge train", "tinyedge build", "tinyedge run"


def _unseen(proposal: Proposal, assumed: Found) -> Proposal:
    """A proposal for data that nobody has seen: windows by the clock, and no guess at the names of files."""
    data, reasons = dict(proposal.values["data"]), dict(proposal.reasons)
    if "window" in data and assumed.rate_hz:
        data["window"] = f"{data['window'] / assumed.rate_hz:g} s"
        reasons["data.window"] = "a guess: `tinyedge new NAME --data DIR` looks at recordings, and says why"
    if assumed.sort == "sound":
        data["pad"] = True
        reasons["data.pad"] = "shorter recordings are filled with silence"
    if assumed.group:
        reasons["data.group"] = (
            f"where names begin with a person, as anna_1 and anna_2, `{assumed.group}` keeps each in one part"
        )
    return replace(proposal, values={**proposal.values, "data": data}, reasons=reasons)


def project_files(start: Start) -> dict[str, bytes]:
    """Every file of the project by its path in it."""
    proposal = start.proposal
    common = _rendered_common(start, proposal)
    files = {
        "README.md": common["README.md.j2"],
        "tinyedge.toml": _settings(start),
        "recipe.toml": _recipe(start, proposal),
        ".gitignore": (templates_dir() / _FOLDER / "common" / "gitignore").read_text(encoding="utf-8"),
        ".github/workflows/tinyedge.yml": common["workflow.yml.j2"],
        **{f".github/tinyedge/{path.name}": path.read_text(encoding="utf-8") for path in _scripts()},
        "data/README.md": common["data.md.j2"],
        **_python_files(start, proposal.model),
    }
    made = {name: text.encode() for name, text in files.items()}
    if start.made_up:
        made |= {str(PurePosixPath("data") / path): content for path, content in start.template.example().items()}
        made[f"data/{MADE_UP}"] = _MADE_UP_TEXT.encode()
    return made


def _scripts() -> list[Path]:
    """The scripts of the GitHub Action, which a project's workflow runs too."""
    return sorted((templates_dir() / "ci").glob("*.sh"))


def _rendered_common(start: Start, proposal: Proposal) -> dict[str, str]:
    values = {
        "name": start.name,
        "summary": proposal.summary[:1].upper() + proposal.summary[1:],
        "made_up": start.made_up,
        "missing": start.missing,
        "layout": start.template.layout if start.found is None else (),
        "records": _RECORDS.get(str(start.template.sort), ""),
        "label": start.template.layout[0][0].partition("/")[0] if start.template.layout else "",
        "source": proposal.values["data"].get("source", ""),
        "commands": start.next_steps,
        "has_data_file": _has_file(start, "data.py"),
        "distribution": DISTRIBUTION,
        "version": __version__,
    }
    folder = environment(templates_dir() / _FOLDER / "common")
    return {name: folder.get_template(name).render(values) for name in folder.list_templates(["j2"])}


def _python_files(start: Start, values: Mapping[str, Any]) -> dict[str, str]:
    folder = environment(templates_dir() / _FOLDER / start.template.name)
    return {
        name.removesuffix(".j2"): folder.get_template(name).render(values) for name in folder.list_templates(["j2"])
    }


def _has_file(start: Start, name: str) -> bool:
    return (templates_dir() / _FOLDER / start.template.name / f"{name}.j2").is_file()


def _settings(start: Start) -> str:
    values = {"model": ".", "board": start.board.name, "build_dir": "build"}
    reasons = {"model": "the recipe beside this file"}
    return _SETTINGS_HEAD + toml_text(start.settings, Explained(values, reasons))


def _recipe(start: Start, proposal: Proposal) -> str:
    values = {"summary": proposal.summary, "seed": 1, **proposal.values}
    tables: dict[str, type | Kinds] = {
        "features": Kinds("kind", KINDS, repeated=False),
        "augment": Kinds("technique", AUGMENTATIONS),
        "compress": Kinds("technique", TECHNIQUES),
    }
    if not _has_file(start, "data.py"):
        tables["data"] = DataTable
    reasons = dict(proposal.reasons)
    network = "; ".join(text for name, text in proposal.facts if name == "network")
    if network:
        reasons["fit"] = f"the network of model.py, {network}"
    return _HEAD.format(name=start.name) + toml_text(RecipeFile, Explained(values, reasons, tables))
