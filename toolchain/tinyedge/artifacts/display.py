"""How an artifact shows itself: as a document, as text, and in a notebook.

What a reader is told of an artifact is written in the room `report`, which registers it here when it is imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Forms:
    """The forms of one kind of artifact: functions that take one.

    document  that of `--json`
    text      what the command prints
    html      a piece of a page, which needs nothing around it
    """

    document: Callable[[Any], dict[str, Any]]
    text: Callable[[Any], str]
    html: Callable[[Any], str]


_FORMS: dict[type, Forms] = {}


def register_forms(kind: type, forms: Forms) -> None:
    """State how artifacts of a kind, and of kinds made from it, are shown."""
    _FORMS[kind] = forms


class Displayed:
    """An artifact that people look at: `print` it, or let a notebook show it."""

    def to_json(self) -> dict[str, Any]:
        """The document that the command prints with `--json`."""
        return self._forms().document(self)

    def __str__(self) -> str:
        return self._forms().text(self).rstrip("\n")

    def _repr_html_(self) -> str:
        return self._forms().html(self)

    def _forms(self) -> Forms:
        for kind in type(self).__mro__:
            if kind in _FORMS:
                return _FORMS[kind]
        raise TypeError(f"nothing says how a {type(self).__name__} is shown: `import tinyedge.report.display` does")
