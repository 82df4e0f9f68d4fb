"""Templates rendered, and text made safe for C. Python computes, templates print."""

from __future__ import annotations

import re
from typing import Any

from tinyedge.paths import templates_dir
from tinyedge.templates import environment


def render(template: str, *, folder: str = "project", **values: Any) -> bytes:
    """The text of firmware_templates/<folder>/<template> with its values filled in."""
    return environment(templates_dir() / folder).get_template(template).render(**values).encode("utf-8")


def template_file(path: str) -> bytes:
    """A file of firmware_templates/ that is used as it is."""
    return (templates_dir() / path).read_bytes()


def comment_text(text: str, limit: int = 60) -> str:
    """Text of a model's author made safe for a C comment: what could end the comment or hide a line end is replaced.

    >>> comment_text("conv/*evil*/ out")
    'conv/_evil_/ out'
    """
    safe = re.sub(r"[^A-Za-z0-9_.:;,+()\[\]/ -]", "_", text)
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def c_string(text: str) -> str:
    """A C string literal of UTF-8; what C could read otherwise is written in octal.

    >>> print(c_string('say "ja"?\\n'), c_string("ö"))
    "say \\042ja\\042\\077\\012" "\\303\\266"
    """
    plain = set(b" !#$%&'()*+,-./:;<=>@[]^_`{|}~0123456789") | set(range(65, 91)) | set(range(97, 123))
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'
