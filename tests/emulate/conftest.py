"""Emulated boards for tests."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kits.m4_program import board, build
from tinyedge.artifacts import Image
from tinyedge.emulate.unicorn.host import UnicornConsole, UnicornEmulator
from tinyedge.errors import DeviceError

Start = Callable[..., UnicornConsole]


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Image]:
    """Builds a source as an image."""
    return lambda source: build(tmp_path, source)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Builds a source and starts it; ends all of them with the test."""
    with contextlib.ExitStack() as stack:

        def start(source: str, *, native: bool = True) -> UnicornConsole:
            emulator = UnicornEmulator(native=native)
            return stack.enter_context(emulator.start(build(tmp_path, source), board()))

        yield start


@pytest.fixture
def ending(start: Start) -> Callable[..., DeviceError]:
    """Runs a source to its end and gives the error that says how."""

    def run(source: str, *, native: bool = True) -> DeviceError:
        with pytest.raises(DeviceError) as caught:
            list(start(source, native=native).lines(30.0))
        return caught.value

    return run
