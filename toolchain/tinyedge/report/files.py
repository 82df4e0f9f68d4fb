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
