"""What is slow to make is made once in a test run, however many workers pytest-xdist runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(
    factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object], *, timeout_s: float = 300.0
) -> Path:
    """The folder `name`, filled by `make(folder)` in whichever worker comes first; the others wait for it.

    Raises: what `make` raised, in that worker; TimeoutError or AssertionError in the others
    """
    root = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, done, failed = root / name, root / f"{name}.done", root / f"{name}.failed"
    try:
        folder.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + timeout_s
        while not done.exists():
            assert not failed.exists(), f"`{name}` could not be made; the test that tried it says why"
            if time.monotonic() > deadline:
                raise TimeoutError(f"`{name}` was not made within {timeout_s:g} s") from None
            time.sleep(0.05)
        return folder
    try:
        make(folder)
    except BaseException:
        failed.touch()
        raise
    done.touch()
    return folder
