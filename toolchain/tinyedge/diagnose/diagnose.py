"""Every rule over a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import numpy as np

from tinyedge.artifacts import Observer
from tinyedge.artifacts.diagnosis import SEVERITIES, Diagnosis, Explanation, Finding
from tinyedge.artifacts.model import QuantizedModel
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.discovery import collect
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.tables import near_name

_MOST_SAMPLES = 8


@cache
def _rules() -> Mapping[str, Rule]:
    """All rules by their codes, in the codes' order."""
    rules: list[Rule] = collect("tinyedge.diagnose.rules", "RULE")
    return MappingProxyType({rule.explanation.code: rule for rule in sorted(rules, key=lambda r: r.explanation.code)})


def list_explanations() -> tuple[Explanation, ...]:
    """What all codes mean."""
    return tuple(rule.explanation for rule in _rules().values())


def explain(code: str) -> Explanation:
    """What a code means. Raises: UsageError when there is none, with the nearest"""
    (known,) = require_codes([code])
    return _rules()[known].explanation


def require_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """The codes as they are written here. Raises: UsageError for one that there is not"""
    found = []
    for code in codes:
        known = code.strip().upper()
        if known not in _rules():
            near = near_name(known, _rules())
            raise UsageError(
                f"there is no code `{code}`",
                hint=f"the nearest is `{near}`; `tinyedge explain` lists them"
                if near
                else "`tinyedge explain` lists them",
            )
        found.append(known)
    return tuple(found)


def diagnose(
    model: QuantizedModel, *, ignore: Collection[str] = (), shown: str = "MODEL", observer: Observer | None = None
) -> Diagnosis:
    """All that the rules find in a model, the worst first. Some of the samples that it carries are run through it.

    ignore  codes that are left out
    shown   what stands for the model in what is to be typed

    Raises: ModelError when the file is damaged; UsageError for a code that there is not
    """
    ignored = set(require_codes(ignore))
    subject = Subject(model.tflite, model.name, _some(model.samples or ()), observer)
    findings: list[Finding] = []
    for rule in sorted(_rules().values(), key=lambda rule: rule.alone):
        found = [_finding(rule, each, shown) for each in rule.find(subject)]
        findings += [each for each in found if not (rule.alone and _is_told(each, findings))]
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))
    left_out = Counter(finding.code for finding in findings if finding.code in ignored)
    kept = tuple(finding for finding in findings if finding.code not in ignored)
    return Diagnosis(model.name, model.digest, kept, MappingProxyType(dict(left_out)))


def _some(samples: Sequence[Array]) -> list[Array]:
    """Few of the samples, evenly spread: the reference takes a second for some ten million multiplications."""
    count = len(samples[0]) if samples else 0
    chosen = np.linspace(0, count - 1, min(count, _MOST_SAMPLES)).astype(int)
    return [array[chosen] for array in samples] if count else []


def _is_told(finding: Finding, others: Iterable[Finding]) -> bool:
    """Whether an error of another kind says more exactly what is wrong there."""
    errors = [
        (other.graph, other.operator) for other in others if other.severity == "error" and other.code != finding.code
    ]
    return bool(errors) if finding.operator is None else (finding.graph, finding.operator) in errors


def _finding(rule: Rule, found: Found, shown: str) -> Finding:
    told = rule.explanation
    return Finding(
        code=told.code,
        title=told.title,
        severity=found.severity or told.severity,
        what=found.what,
        fix=(found.fix or told.fix).replace("MODEL", shown),
        graph=found.graph,
        operator=None if found.operator is None else found.operator.index,
        operator_name="" if found.operator is None else found.operator.name,
        tensor=None if found.tensor is None else found.tensor.index,
        tensor_name="" if found.tensor is None else found.tensor.name,
    )
