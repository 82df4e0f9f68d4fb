"""Compiler caches of the tests' own, so that what a user's cache holds decides nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for this worker, but for zig's part: all workers share that, because its first links take seconds."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "zig_cache"
    shared.mkdir(exist_ok=True)
    folder = tmp_path_factory.mktemp("cache")
    (folder / "zig").symlink_to(shared)
    return folder


@pytest.fixture(autouse=True)
def cache(session_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of the test, without objects."""
    shutil.rmtree(session_cache / "objects", ignore_errors=True)
    monkeypatch.setenv("TINYEDGE_CACHE", str(session_cache))
    return session_cache


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest) -> str:
    """Each compiler for boards that is there."""
    if request.param == "gcc" and shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc: `apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`")
    return str(request.param)
