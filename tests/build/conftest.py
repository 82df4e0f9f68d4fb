"""Caches of objects of the tests' own, so that what a user's cache holds decides nothing.

The libraries of zig are the user's: they are checked when they are used, and take tens of seconds to make.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tinyedge import paths
from tinyedge.cache import user_store


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for this worker, but for the libraries of zig."""
    libraries = user_store(paths.cache_dir() / "zig-libraries").folder
    folder = tmp_path_factory.mktemp("cache")
    (folder / libraries.name).symlink_to(libraries)
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
