"""PyTorch: an exported program, .pt2, or a function that makes a model, script.py:build.

litert-torch and torch are large, and want other versions than tinyedge does: they live in a Python that the user names.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyedge import process
from tinyedge.convert import torch_program
from tinyedge.convert.contract import Brought, Settings
from tinyedge.convert.source import EXPORTED
from tinyedge.data import Arrays
from tinyedge.errors import MissingToolError, ToolError

VARIABLE = "TINYEDGE_TORCH_PYTHON"
_VERSIONS = "from importlib.metadata import version as v; import sys; print(sys.version, v('torch'), v('litert-torch'))"
_START_S = 60.0


class Torch:
    title = "PyTorch"
    packages: Sequence[tuple[str, str]] = ()
    can_rebuild = False

    def recognizes(self, path: Path, head: bytes) -> bool:
        return is_script(path) or (head.startswith(b"PK\x03\x04") and _is_exported(path))

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        with np.load(folder / "torch.npz", allow_pickle=False) as stored:
            inputs, outputs = (
                tuple(stored[f"{kind}_{i}"] for i in range(sum(name.startswith(kind) for name in stored.files)))
                for kind in ("input", "output")
            )
        return Brought((folder / "torch.tflite").read_bytes(), inputs, outputs)

    def surroundings(self, path: Path, settings: Settings) -> str | None:
        """The other Python's versions; a script may read anything."""
        return None if is_script(path) else torch_versions(settings.python)

    def outside(self, path: Path, settings: Settings, folder: Path) -> list[str]:
        source = str(path.parent.absolute() / path.name)
        return [find_python(settings.python), "-I", str(Path(torch_program.__file__)), source, str(folder)]


FRONT = Torch()


def is_script(path: Path) -> bool:
    """Whether a path is script.py:build."""
    script, colon, function = str(path).rpartition(":")
    return bool(colon) and function.isidentifier() and script.endswith(".py") and Path(script).is_file()


def _is_exported(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.rsplit("/", 1)[-1] in EXPORTED for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        return False


def find_python(named: str | None) -> str:
    """The Python that has torch. Raises: MissingToolError with the way to one."""
    chosen = named or os.environ.get(VARIABLE)
    if not chosen:
        raise MissingToolError(
            "a PyTorch model is converted by litert-torch, in a Python of its own (2 GB or more), which you name",
            hint=f"{torch_program.INSTALL}, or set {VARIABLE}",
        )
    found = process.find(chosen)
    if found is None:
        raise MissingToolError(f"there is no Python `{chosen}`", hint=torch_program.INSTALL)
    return str(found)


def torch_versions(named: str | None) -> str:
    """The versions of that Python, of torch and of litert-torch. Raises: MissingToolError when one is not there."""
    python = find_python(named)
    try:
        completed = process.run([python, "-c", _VERSIONS], timeout_s=_START_S, check=False)
    except ToolError as error:
        raise MissingToolError(
            f"`{python}` is no Python that runs: {error.what}", hint=torch_program.INSTALL
        ) from error
    if completed.returncode != 0:
        missing = "litert-torch" if "litert" in completed.stderr else "torch"
        raise MissingToolError(f"the Python `{python}` has no package `{missing}`", hint=torch_program.INSTALL)
    return completed.stdout.strip()
