"""Finds boards/ and its siblings, in a checkout and in an installed wheel; writes files whole."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from tinyedge.errors import InternalError

_PACKAGE = Path(__file__).resolve().parent


@functools.cache
def data_root() -> Path:
    """The folder that holds boards/ and its siblings: the wheel's `_data`, else the checkout."""
    for root in (_PACKAGE / "_data", _PACKAGE.parent.parent):
        if (root / "boards").is_dir() and (root / "firmware_templates").is_dir():
            return root
    raise InternalError(
        f"the data folders of tinyedge are missing beside {_PACKAGE}",
        hint="install tinyedge-toolchain again with pip, or run it from a complete checkout",
    )


def checkout() -> Path | None:
    """The checkout that tinyedge runs from; None when it was installed from a wheel."""
    root = data_root()
    return root if (root / "pyproject.toml").is_file() else None


def boards_dir() -> Path:
    return data_root() / "boards"


def models_dir() -> Path:
    return data_root() / "models"


def templates_dir() -> Path:
    return data_root() / "firmware_templates"


def renode_dir() -> Path:
    return data_root() / "renode"


def cache_dir() -> Path:
    """Where compiled helpers and compiler caches live, shared by all projects of the user."""
    if chosen := os.environ.get("TINYEDGE_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinyedge"


def partial_of(path: Path) -> Path:
    """A name beside `path` that nobody else takes, for what is to replace it once it is whole."""
    return path.with_name(f"{path.name}.{secrets.token_hex(6)}.part")


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Within the block another file stands for `path`, which it replaces at the end unless the block fails.

    Makes the folder. Raises: OSError, with what stood at `path` before left in place.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_of(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever finds a part of it: after Ctrl-C, a full disk, or beside another call.

    Makes the folder. Raises: OSError, with what stood there before left in place.
    """
    with whole(path) as partial:
        partial.write_bytes(content)


def write_changed(path: Path, content: bytes) -> None:
    """The same, but a file that already holds the content is left alone: tools that look at times see no change."""
    with contextlib.suppress(OSError):
        if path.read_bytes() == content:
            return
    write_whole(path, content)
