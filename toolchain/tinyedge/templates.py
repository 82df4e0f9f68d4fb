"""How templates of C, linker scripts and platforms are read: lines that start with `%%` are statements."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2


@functools.cache
def environment(folder: Path) -> jinja2.Environment:
    """The templates below a folder. A value that is missing is an error, nothing is escaped."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        line_statement_prefix="%%",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
