"""What is wrong with a model before anything is built: findings, each with a code that `tinyedge explain` describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tinyedge.artifacts.display import Displayed

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""error: tinyedge does not run the model, or it cannot be right; warning: it costs time, memory or accuracy; note: it
is worth knowing"""


@dataclass(frozen=True)
class Explanation:
    """A kind of trouble, as `tinyedge explain` and its page describe it. `why`, `here` and `fix` are Markdown."""

    code: str
    """stable: `TE101`"""
    title: str
    severity: Severity
    """the worst that it can be"""
    why: str
    """what it is, and why it hurts on a microcontroller"""
    here: str
    """what tinyedge does with it"""
    fix: str
    """what to type or to paste; `MODEL` stands for the file"""


@dataclass(frozen=True)
class Finding:
    """One trouble in one place of a model."""

    code: str
    title: str
    severity: Severity
    what: str
    """with numbers and units"""
    fix: str
    """a line or more to type or to paste"""
    graph: int = 0
    """the number of the subgraph"""
    operator: int | None = None
    """its index in that subgraph"""
    operator_name: str = ""
    tensor: int | None = None
    """its index in that subgraph"""
    tensor_name: str = ""


@dataclass(frozen=True, repr=False)
class Diagnosis(Displayed):
    """All findings of a model, the worst first, without those of codes that were to be ignored."""

    model: str
    digest: str
    findings: tuple[Finding, ...]
    ignored: Mapping[str, int]
    """findings left out, by their code"""

    def count(self, severity: Severity) -> int:
        """How many findings are that bad."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that were found, each once, in their order."""
        return tuple(sorted({finding.code for finding in self.findings}))

    @property
    def ok(self) -> bool:
        """Whether there is no error; warnings and notes there may be."""
        return not self.count("error")

    def __repr__(self) -> str:
        return f"<Diagnosis of {self.model}: {', '.join(self.codes) or 'nothing found'}>"
