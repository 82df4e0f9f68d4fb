"""Converters in a process of their own: they print, crash and hang, and none of that reaches this one."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge import process
from tinyedge.convert.contract import ARRAYS, RESULT, Front, Settings, model_of
from tinyedge.data import Arrays
from tinyedge.errors import MissingToolError, ToolError, error_told
from tinyedge.install import require_package
from tinyedge.train.training import worker_environment

QUANTIZER = ("ai-edge-quantizer", "import")
_LOG_LINES = 8
"""of a child's output that an error quotes"""


def require_packages(front: Front) -> None:
    """Raises: MissingToolError when a package that a front or the quantizer needs is not installed."""
    for package, extra in (*front.packages, QUANTIZER):
        require_package(f"converting {model_of(front)}", package, extra)


def versions(front: Front) -> dict[str, str]:
    """Of the packages that take part."""
    names = ("ai-edge-litert", QUANTIZER[0], "numpy", *(package for package, _ in front.packages))
    return {name: metadata.version(name) for name in names}


def run_worker(front: Front, path: Path, name: str, data: Arrays, settings: Settings, folder: Path) -> dict[str, Any]:
    """Convert in a child; what it made lies in `folder`. Returns what it says of it.

    Raises: the error that it tells; ToolError with its last lines when it crashes, or takes longer than allowed
    """
    arrays: dict[str, Any] = {f"x_{i}": array for i, array in enumerate(data.inputs.values())}
    np.savez(folder / ARRAYS, **arrays)
    job = {
        "front": front.title,
        "source": str(path if ":" in path.name else path.absolute()),
        "name": name,
        "inputs": list(data.inputs),
        "settings": settings.to_json(),
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    outside = front.outside(path, settings, folder)
    if outside is not None:
        _run(outside, front, settings, folder)
    _run(process.python_module("tinyedge.convert.worker", str(folder)), front, settings, folder)
    result = read_result(folder)
    if result is None:
        raise ToolError(f"the conversion of the {front.title} model ended without a result", hint="run it again")
    return result


def read_result(folder: Path) -> dict[str, Any] | None:
    """What a child said; None when it said nothing. Raises: the error that it told."""
    try:
        result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if "error" in result:
        raise error_told(result["error"])
    return dict(result)


def _run(argv: list[str], front: Front, settings: Settings, folder: Path) -> None:
    """Run one child to its end. Raises: the error it told; ToolError."""
    temporary = {name: str(folder) for name in ("TMPDIR", "TEMP", "TMP")}
    environment = {**worker_environment(), **temporary}
    try:
        completed = process.run(
            argv, timeout_s=settings.timeout_s, check=False, env=environment, inherit=False, cwd=folder
        )
    except ToolError as error:
        if isinstance(error, MissingToolError):
            raise
        error.what = f"converting the {front.title} model: {error.what}"
        error.hint = (
            f"`--timeout SECONDS` gives it more than {settings.timeout_s:g} s; a smaller model, or fewer samples"
        )
        raise
    if completed.returncode != 0:
        quoted = process.quote_log(completed.output, most=_LOG_LINES, empty="; it printed nothing")
        raise ToolError(
            f"converting the {front.title} model: its process {process.describe_exit(completed.returncode)}{quoted}",
            hint="the converter itself fails on this model: leave out half of its layers to find which",
        )
    read_result(folder)
