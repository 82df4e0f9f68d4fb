"""TE205: tinyedge refuses the model for a reason without a code of its own."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.errors import ModelError
from tinyedge.ops import check


def find(subject: Subject) -> Iterator[Found]:
    error = subject.refusal
    if error is None and subject.settled is not None:
        try:
            check(subject.settled)
        except ModelError as found:
            error = found
    if error is not None:
        yield Found(error.what, fix=error.hint)


RULE = Rule(
    Explanation(
        "TE205",
        "refused",
        "error",
        "The file is sound enough to be looked at, but states something that no graph of fixed tensors can express, "
        "or that contradicts itself.",
        "It refuses the model in these words, whatever the command.",
        "Export the model again from where it was trained, as one file with fixed shapes.",
    ),
    find,
    alone=True,
)
