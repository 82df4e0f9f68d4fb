"""The templates that there are, and which one data asks for."""

from __future__ import annotations

from functools import cache

from tinyedge.discovery import collect
from tinyedge.errors import UsageError
from tinyedge.new.anomaly import NORMAL
from tinyedge.new.contract import Found, Template
from tinyedge.tables import nearest

_NO_TEMPLATE = ("registry",)


@cache
def templates() -> dict[str, Template]:
    """Every template by its name."""
    return {template.name: template for template in collect("tinyedge.new", "TEMPLATE", skip=_NO_TEMPLATE)}


def find_template(name: str) -> Template:
    """Raises: UsageError when there is none of that name."""
    if name not in templates():
        raise UsageError(f"there is no template `{name}`; {nearest(name, templates())}", hint="`tinyedge new --help`")
    return templates()[name]


def template_for(found: Found) -> tuple[Template, str]:
    """(the template that data asks for, why)."""
    if not found.classes:
        return templates()["blank"], "the labels are numbers that are no classes"
    if found.sort == "motion" and len(found.classes) == 2 and any(name.lower() in NORMAL for name in found.classes):
        normal = next(name for name in found.classes if name.lower() in NORMAL)
        return templates()["anomaly"], f"one of two classes is called `{normal}`: the network learns that alone"
    reasons = {
        "motion": ("gesture", "axes over time"),
        "sound": ("keyword", f"one channel at {found.rate_hz or 0:,.0f} samples a second"),
        "images": ("images", "images"),
        "table": ("blank", "a row of numbers for each sample"),
    }
    name, why = reasons[found.sort]
    return templates()[name], why
