"""Where programs are found."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from tinyedge.errors import MissingToolError
from tinyedge.install import package_command
from tinyedge.process.settings import is_dry_run


def find(tool: str) -> Path | None:
    """The path of a program on PATH (or of a path given as such), None when there is none."""
    found = shutil.which(tool)
    return Path(found) if found else None


def require(tool: str, hint: str) -> Path:
    """The path of a program. In a dry run it need not be there.

    Raises: MissingToolError that names the way to install it (`hint`).
    """
    found = find(tool)
    if found is not None:
        return found
    if is_dry_run():
        return Path(tool)
    raise MissingToolError(f"`{tool}` is not installed, or not on PATH", hint=hint)


def python_module(module: str, *arguments: str, hint: str = "") -> list[str]:
    """The command that runs a Python package of this interpreter as a program.

    Raises: MissingToolError when the package is not installed.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingToolError(
            f"the Python package `{module}` is not installed", hint=hint or f"`{package_command(module)}` installs it"
        )
    return [sys.executable, "-P", "-m", module, *arguments]  # -P: never import from the current folder
