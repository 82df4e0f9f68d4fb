"""The public models of docs/model-table.md: where they come from, and their files in a folder."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LIST = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class PublicModel:
    """A file of a public repository on GitHub.

    sha256  of the file
    """

    name: str
    repository: str
    commit: str
    path: str
    sha256: str
    licence: str

    @property
    def url(self) -> str:
        return f"https://github.com/{self.repository}/blob/{self.commit}/{self.path}"


def read_list(path: Path = LIST) -> tuple[PublicModel, ...]:
    """In the order of the file."""
    return tuple(PublicModel(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["model"])


def find_files(folder: Path) -> Mapping[str, Path]:
    """SHA-256 -> a model file under a folder."""
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in sorted(folder.rglob("*.tflite"))}
