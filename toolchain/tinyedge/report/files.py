"""The files that the report of a run can be kept in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.artifacts import Measured
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.paths import write_whole
from tinyedge.report.budgets import budget_cases, measured_lines
from tinyedge.report.html import run_html
from tinyedge.report.junit import run_junit
from tinyedge.report.markdown import run_markdown


def require_folder(path: Path) -> None:
    """Raises: UsageError when a file is to be written into a folder that is not there."""
    folder = path.parent
    if not folder.is_dir():
        why = "is no folder" if folder.exists() else "does not exist"
        raise UsageError(f"`{path}` cannot be written: the folder `{folder}` {why}", hint=f"`mkdir -p {folder}`")


@dataclass(frozen=True)
class RunFiles:
    """Where to write what of a run; None: not at all.

    outputs  the device's outputs: `.npy`, of a model with several one file each, `<name>_0.npy` and so on; or `.npz`
             with the arrays `output_0` and so on
    html     the report, as a page
    junit    what was checked, as JUnit XML
    markdown a summary, for a pull request

    Raises: UsageError for a file that could not be written as asked, before anything is done
    """

    outputs: Path | None = None
    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None

    def __post_init__(self) -> None:
        if self.outputs is not None and self.outputs.suffix not in (".npy", ".npz"):
            raise UsageError(
                f"`{self.outputs}` does not end in .npy or .npz",
                hint="`--save-outputs outputs.npy`, or `outputs.npz` for several outputs in one file",
            )
        for path in (self.outputs, self.html, self.junit, self.markdown):
            if path is not None:
                require_folder(path)

    def of_model(self, name: str) -> RunFiles:
        """The files of one of several models: its name behind theirs."""
        paths = (self.outputs, self.html, self.junit, self.markdown)
        return RunFiles(*(None if path is None else path.with_stem(f"{path.stem}_{name}") for path in paths))

    def write(self, measured: Measured) -> None:
        """Make all of them, then write them. Raises: OSError."""
        contents: dict[Path, bytes] = {}
        if self.outputs is not None:
            contents |= _output_files(self.outputs, measured.run.outputs)
        if self.html is not None:
            contents[self.html] = run_html(measured).encode()
        if self.junit is not None:
            contents[self.junit] = run_junit(measured, budget_cases(measured_lines(measured))).encode()
        if self.markdown is not None:
            contents[self.markdown] = run_markdown(measured).encode()
        for path, content in contents.items():
            write_whole(path, content)


def _output_files(path: Path, outputs: Sequence[Array]) -> dict[Path, bytes]:
    """The files that hold all outputs, by what `path` ends in."""
    if path.suffix == ".npz":
        archive = io.BytesIO()
        np.savez(archive, **{f"output_{at}": array for at, array in enumerate(outputs)})  # type: ignore[arg-type]
        return {path: archive.getvalue()}
    files = {}
    for at, array in enumerate(outputs):
        content = io.BytesIO()
        np.save(content, array)
        files[path if len(outputs) == 1 else path.with_stem(f"{path.stem}_{at}")] = content.getvalue()
    return files
