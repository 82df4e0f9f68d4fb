"""The boards of a lab: one .toml each, in the folder that TINYEDGE_LAB names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tinyedge.tables import TableError, read_table, read_toml


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
    """One file of a lab. Raises: TableError, which names the file, for keys and types that are not of LabBoard."""
    try:
        return read_table(LabBoard, read_toml(path))
    except TableError as error:
        raise TableError(f"{path.name}: {error}") from None


def lab_files() -> list[Path]:
    """The files of the lab; none where there is no lab."""
    folder = os.environ.get("TINYEDGE_LAB")
    return sorted(Path(folder).glob("*.toml")) if folder else []
