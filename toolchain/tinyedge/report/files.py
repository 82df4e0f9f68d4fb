"""The files that the report of a run can be kept in."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.artifacts import Measured
from tinyedge.errors import UsageError
from tinyedge.paths import write_whole
from tinyedge.report.html import run_html
from tinyedge.report.junit import run_junit


def require_folder(path: Path) -> None:
    """Raises: UsageError when a file is to be written into a folder that is not there."""
    folder = path.parent
    if not folder.is_dir():
        why = "is no folder" if folder.exists() else "does not exist"
        raise UsageError(f"`{path}` cannot be written: the folder `{folder}` {why}", hint=f"`mkdir -p {folder}`")


@dataclass(frozen=True)
class RunFiles:
    """Where to write what of a run; None: not at all.

    outputs  the device's outputs, as .npy
    html     the report, as a page
    junit    what was checked, as JUnit XML

    Raises: UsageError for a file that could not be written as asked, before anything is done
    """

    outputs: Path | None = None
    html: Path | None = None
    junit: Path | None = None

    def __post_init__(self) -> None:
        if self.outputs is not None and self.outputs.suffix != ".npy":
            raise UsageError(f"`{self.outputs}` does not end in .npy", hint="`--save-outputs outputs.npy`")
        for path in (self.outputs, self.html, self.junit):
            if path is not None:
                require_folder(path)

    def write(self, measured: Measured) -> None:
        """Make all of them, then write them. Raises: OSError."""
        contents = {}
        if self.outputs is not None:
            array = io.BytesIO()
            np.save(array, measured.run.outputs)
            contents[self.outputs] = array.getvalue()
        if self.html is not None:
            contents[self.html] = run_html(measured).encode()
        if self.junit is not None:
            contents[self.junit] = run_junit(measured).encode()
        for path, content in contents.items():
            write_whole(path, content)
