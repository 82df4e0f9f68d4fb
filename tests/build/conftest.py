"""Compiler caches of the tests' own, so that what a user's cache holds decides nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def cache(session_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder: zig's part stays for the session, because its first link takes seconds."""
    shutil.rmtree(session_cache / "objects", ignore_errors=True)
    monkeypatch.setenv("TINYEDGE_CACHE", str(session_cache))
    return session_cache


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest) -> str:
    """Each compiler for boards that is there."""
    if request.param == "gcc" and shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc: `apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`")
    return str(request.param)
