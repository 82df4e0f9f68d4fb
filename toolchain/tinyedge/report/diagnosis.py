"""What a model suffers from, and what each code means: for people, as documents, and as pages of docs/checks."""

from __future__ import annotations

import dataclasses
import itertools
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from tinyedge.artifacts.diagnosis import SEVERITIES, Diagnosis, Explanation, Finding
from tinyedge.artifacts.display import Forms, register_forms
from tinyedge.report.html import html_piece
from tinyedge.report.table import render_table

_COLUMNS = 80
_MOST_PLACES = 4
"""of one code that the text shows; documents have them all"""
_LONGEST_NAME = 44
_CODE = "    "
"""how lines of texts begin that are to be typed or pasted, as in Markdown"""
_INTRODUCTION = """\
# Checks

`tinyedge check MODEL` tells from a `.tflite` alone what is going to hurt on a microcontroller: before anything is
built, without TensorFlow, and of models that cannot be built at all. Each kind of trouble has a code that never changes
its meaning; `tinyedge explain TE101` prints its page.

An *error* means that tinyedge does not run the model, or that it cannot be right; the exit code is 1. A *warning* costs
time, memory or accuracy; with `--strict` it makes the exit code 1 too. A *note* is worth knowing. `--ignore TE216`
leaves a code out, for good in tinyedge.toml:

```toml
[check]
ignore = ["TE216"]
```

`--json` prints the document `tinyedge.check/1`; from Python it is [`tinyedge.check`](../python.md). A broken model for
each code, made by real converters where these do such a thing, lies in tests/diagnose/models.

These pages are made from the code by `tinyedge explain --markdown`; a test compares them.
"""


def render_diagnosis(found: Diagnosis) -> str:
    """Each code with its places and what to do, the worst first."""
    parts = [f"{found.model}: {count_findings(found)}{_left_out(found)}"]
    for _, group in itertools.groupby(found.findings, key=lambda f: (f.severity, f.code, f.fix)):
        same = list(group)
        first = same[0]
        shown = [_wrapped(f"{place}: {each.what}" if (place := _place(each)) else each.what, "  ", "    ")
                 for each in same[:_MOST_PLACES]]  # fmt: skip
        if len(same) > _MOST_PLACES:
            shown.append(f"  and in {len(same) - _MOST_PLACES} more places, which `--json` lists")
        parts.append("\n".join([f"{first.severity} {first.code}: {first.title}", *shown, "", _indented(first.fix)]))
    if found.findings:
        parts.append(f"`tinyedge explain {found.findings[0].code}` says why it hurts.")
    return "\n\n".join(parts) + "\n"


def count_findings(found: Diagnosis) -> str:
    """How much of what was found, in words.

    >>> count_findings(Diagnosis("net", "", (), {}))
    'nothing found'
    """
    counts = [(found.count(severity), severity) for severity in SEVERITIES]
    told = [f"{count} {severity}{'s' if count > 1 else ''}" for count, severity in counts if count]
    return ", ".join(told) or "nothing found"


def _left_out(found: Diagnosis) -> str:
    if not found.ignored:
        return ""
    return f" ({', '.join(f'{code} {count}' for code, count in sorted(found.ignored.items()))} ignored)"


def _place(finding: Finding) -> str:
    subgraph = f"subgraph {finding.graph}, " if finding.graph else ""
    operator = f"operator {finding.operator} `{finding.operator_name}`" if finding.operator is not None else ""
    tensor = f"tensor {finding.tensor} `{_short(finding.tensor_name)}`" if finding.tensor is not None else ""
    both = ", ".join(filter(None, (operator, tensor)))
    return subgraph + both if both else ""


def _short(name: str) -> str:
    """A name that fits a line: converters join those of all layers they fused.

    >>> _short("a" * 100)[-5:]
    'aa...'
    """
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text, _COLUMNS, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )


def _indented(text: str) -> str:
    """Paragraphs folded; what is to be typed as it is. All two columns in."""
    return "\n".join(
        f"  {line}" if line.startswith(_CODE) else _wrapped(line, "  ", "  ") if line else ""
        for line in text.split("\n")
    )


def diagnosis_document(found: Diagnosis) -> dict[str, Any]:
    """`tinyedge.check/1`: every finding with its place."""
    return {
        "schema": "tinyedge.check/1",
        "model": found.model,
        "digest": found.digest,
        "ok": found.ok,
        "errors": found.count("error"),
        "warnings": found.count("warning"),
        "notes": found.count("note"),
        "findings": [_finding_document(finding) for finding in found.findings],
        "ignored": dict(found.ignored),
    }


def _finding_document(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "title": finding.title,
        "severity": finding.severity,
        "what": finding.what,
        "fix": finding.fix,
        "subgraph": finding.graph,
        "operator": _named(finding.operator, finding.operator_name),
        "tensor": _named(finding.tensor, finding.tensor_name),
    }


def _named(index: int | None, name: str) -> dict[str, Any] | None:
    return None if index is None else {"index": index, "name": name}


def _html(found: Diagnosis) -> str:
    rows = [(each.severity, each.code, each.title, _place(each), each.what) for each in found.findings]
    tables = [(("severity", "code", "trouble", "where", "what"), rows)] if rows else []
    return html_piece(found.model, count_findings(found), tables)


register_forms(Diagnosis, Forms(diagnosis_document, render_diagnosis, _html))


def render_explanation(told: Explanation) -> str:
    """One code for a terminal."""
    parts = [
        f"{told.code}: {told.title} ({told.severity})",
        _wrapped(told.why),
        _wrapped(f"tinyedge: {told.here}"),
        "What to do:",
        _indented(told.fix),
    ]
    return "\n\n".join(parts) + "\n"


def render_explanations(all_told: Sequence[Explanation]) -> str:
    """All codes, one a line."""
    rows = [(told.code, told.severity, told.title) for told in all_told]
    return render_table(("code", "severity", "trouble"), rows) + "\n"


def explanations_document(all_told: Sequence[Explanation]) -> dict[str, Any]:
    """`tinyedge.explain/1`: what the codes mean."""
    return {"schema": "tinyedge.explain/1", "codes": [dataclasses.asdict(told) for told in all_told]}


def explanation_page(told: Explanation) -> str:
    """docs/checks/TE101.md and its siblings."""
    return "\n".join(_page_lines(told)) + "\n"


def _page_lines(told: Explanation) -> Iterator[str]:
    yield from (f"# {told.code}: {told.title}", "", f"Severity: {told.severity}. [All codes](index.md)", "")
    yield from (told.why, "", "## What tinyedge does with it", "", told.here, "", "## What to do", "", told.fix)


def explanations_page(all_told: Sequence[Explanation]) -> str:
    """docs/checks/index.md."""
    rows = [f"| [{told.code}]({told.code}.md) | {told.severity} | {told.title} |" for told in all_told]
    return "\n".join([_INTRODUCTION, "| code | severity | trouble |", "| --- | --- | --- |", *rows]) + "\n"
