"""Caches of objects of the tests' own, so that what a user's cache holds decides nothing.

zig's part is the user's: what zig keeps there it names by what it was made of, and its C libraries take tens of
seconds to make.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tinyedge import paths


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for this worker, but for zig's part."""
    zig = paths.cache_dir().absolute() / "zig"
    zig.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("cache")
    (folder / "zig").symlink_to(zig)
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
