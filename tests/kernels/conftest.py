"""What the tests of this folder share."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest) -> str:
    """Each compiler; gcc where it is installed."""
    name = str(request.param)
    if name == "gcc" and not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    return name
