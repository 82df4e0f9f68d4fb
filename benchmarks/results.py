"""Files of results that scripts go on with: what was measured, under one schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyedge.errors import UsageError
from tinyedge.paths import write_whole


def read_results(path: Path, schema: str, key: str) -> dict[str, Any]:
    """What stands under `key`; nothing where there is no file yet. Raises: UsageError for another schema"""
    if not path.is_file():
        return {}
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if document.get("schema") != schema:
        raise UsageError(f"`{path}` is not of the schema `{schema}`", hint="give another file by --results")
    results: dict[str, Any] = document[key]
    return results


def write_results(path: Path, schema: str, key: str, results: Mapping[str, Any]) -> None:
    """The whole file anew."""
    write_whole(path, (json.dumps({"schema": schema, key: results}, indent=1) + "\n").encode())
