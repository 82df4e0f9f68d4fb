"""Converters in a process of their own: they print, crash and hang, and none of that reaches this one."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge import process
from tinyedge.convert.contract import ARRAYS, PROGRESS, RESULT, TRAINING, Front, Settings, model_of
from tinyedge.data import Arrays
from tinyedge.errors import MissingToolError, ToolError, error_told
from tinyedge.install import require_package
from tinyedge.train.training import worker_environment

QUANTIZER = ("ai-edge-quantizer", "import")
TRAINER = ("tensorflow-model-optimization", "train")
"""what quantization-aware training needs as well"""
Report = Callable[[int, int, str], None]
"""(done, total, what is being done)"""
_LOOK_EVERY_S = 0.3
_LOG_LINES = 8
"""of a child's output that an error quotes"""


def _packages(front: Front, settings: Settings) -> tuple[tuple[str, str], ...]:
    return (QUANTIZER, *front.packages, *((TRAINER,) if settings.qat else ()))


def require_packages(front: Front, settings: Settings) -> None:
    """Raises: MissingToolError when a package that a conversion needs is not installed."""
    for package, extra in _packages(front, settings):
        require_package(f"converting {model_of(front)}", package, extra)


def versions(front: Front, settings: Settings) -> dict[str, str]:
    """Of the packages that take part."""
    names = ("ai-edge-litert", "numpy", *(package for package, _ in _packages(front, settings)))
    return {name: metadata.version(name) for name in names}


def run_worker(
    front: Front,
    path: Path,
    name: str,
    data: Arrays,
    settings: Settings,
    folder: Path,
    *,
    training: Arrays | None = None,
    report: Report = lambda _done, _total, _what: None,
) -> dict[str, Any]:
    """Convert in a child; what it made lies in `folder`. Returns what it says of it.

    training  what the model is trained on quantization-aware, where the settings say so; `report` is told how far

    Raises: the error that it tells; ToolError with its last lines when it crashes, or takes longer than allowed
    """
    np.savez(folder / ARRAYS, **_numbered(data))
    if training is not None:
        np.savez(folder / TRAINING, **_numbered(training), labels=np.asarray(training.labels))
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
    with _followed(folder / PROGRESS, report):
        _run(process.python_module("tinyedge.convert.worker", str(folder)), front, settings, folder)
    result = read_result(folder)
    if result is None:
        raise ToolError(f"the conversion of the {front.title} model ended without a result", hint="run it again")
    return result


def _numbered(data: Arrays) -> dict[str, Any]:
    """Samples as a child reads them: their names, which may be anything, are told apart from them."""
    return {f"x_{i}": array for i, array in enumerate(data.inputs.values())}


@contextlib.contextmanager
def _followed(file: Path, report: Report) -> Iterator[None]:
    """Within the block, what a child writes into `file` of its progress is reported."""
    ended = threading.Event()

    def follow() -> None:
        while not ended.wait(_LOOK_EVERY_S):
            with contextlib.suppress(OSError, ValueError):
                done, total, stage = json.loads(file.read_text(encoding="utf-8"))
                report(int(done), int(total), str(stage))

    thread = threading.Thread(target=follow, name="progress of the conversion", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


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
            + (f", or fewer epochs than {settings.qat}" if settings.qat else "")
        )
        raise
    if completed.returncode != 0:
        quoted = process.quote_log(completed.output, most=_LOG_LINES, empty="; it printed nothing")
        raise ToolError(
            f"converting the {front.title} model: its process {process.describe_exit(completed.returncode)}{quoted}",
            hint="the converter itself fails on this model: leave out half of its layers to find which",
        )
    read_result(folder)
