"""The boards of a lab: one .toml each, in the folder that TINYEDGE_LAB names."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True)
class LabBoard:
    """One board that is connected. lab.example.toml says what the keys mean."""

    board: str
    tool: str | None = None
    port: str | None = None
    probe: str | None = None
    compiler: str = "zig"
    samples: int = 20

    @property
    def flash_options(self) -> list[str]:
        """What `tinyedge flash` is told beside model and board."""
        pairs = (("--tool", self.tool), ("--probe", self.probe))
        return [word for option, value in pairs if value is not None for word in (option, value)] + self.port_options

    @property
    def port_options(self) -> list[str]:
        """Where the console is."""
        return [] if self.port is None else ["--port", self.port]


def read_lab_board(path: Path) -> LabBoard:
    """One file of a lab. Raises: ValueError for keys and types that are not of LabBoard."""
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    known = {field.name: field.type for field in fields(LabBoard)}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise ValueError(f"{path.name}: unknown key `{key}`" + (f"; did you mean `{near[0]}`?" if near else ""))
        wanted = int if key == "samples" else str
        if type(value) is not wanted:
            raise ValueError(f"{path.name}: `{key}` is {value!r}, not of type {wanted.__name__}")
    if "board" not in values:
        raise ValueError(f"{path.name}: key `board` is missing")
    return LabBoard(**values)


def lab_files() -> list[Path]:
    """The files of the lab; none where there is no lab."""
    folder = os.environ.get("TINYEDGE_LAB")
    return sorted(Path(folder).glob("*.toml")) if folder else []
