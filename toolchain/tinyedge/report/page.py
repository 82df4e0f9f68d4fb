"""The page that every `--html` writes: one base, its parts as macros, self-contained, for windows of any width.

Pictures come twice, drawn for a wide and for a narrow window, because text in a drawing that shrinks cannot be read.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from tinyedge import __version__
from tinyedge.report.table import format_cell

WIDE, NARROW = 920, 320
"""pixels that a page has for its content: of a window from 1,000 on, and of a phone"""


@dataclass(frozen=True)
class Bar:
    """One bar of a chart: what it is of, how long (0 to 1), and what stands behind it."""

    label: str
    share: float
    text: str


@dataclass(frozen=True)
class Drawn:
    """A picture for wide and for narrow windows, as SVG or HTML that may stand in a page as it is."""

    wide: str
    narrow: str


@functools.cache
def template(name: str) -> jinja2.Template:
    """A template of pages or pieces. Everything is escaped but what it calls safe."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
    )
    environment.filters["cell"] = format_cell
    environment.globals["made_with"] = f"tinyedge {__version__}"
    return environment.get_template(f"{name}.html.j2")


def made_on() -> str:
    """Today's date for a page, in UTC; SOURCE_DATE_EPOCH stands for now where it is set.

    Source: https://reproducible-builds.org/docs/source-date-epoch/
    """
    named = os.environ.get("SOURCE_DATE_EPOCH", "")
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(int(named) if named.isdigit() else None))


def bars(rows: Sequence[tuple[str, float, str]]) -> list[Bar]:
    """(label, value, text) as bars, the largest of which is whole.

    >>> [bar.share for bar in bars([("a", 2.0, ""), ("b", 1.0, "")])]
    [1.0, 0.5]
    """
    largest = max((value for _, value, _ in rows), default=0) or 1
    return [Bar(label, value / largest, text) for label, value, text in rows]
