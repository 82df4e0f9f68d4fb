"""What a report is made of: the finished run of a firmware, as the order of the stages hands it over."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tinyedge.artifacts import FirmwareProject, Image, Plan, Program, QuantizedModel, Run
from tinyedge.boards import Board


class Prepared(Protocol):
    """A model planned for a board."""

    @property
    def model(self) -> QuantizedModel: ...
    @property
    def board(self) -> Board: ...
    @property
    def plan(self) -> Plan | Program: ...


class Arena(Protocol):
    """How the arena of an interpreter was sized."""

    @property
    def bytes(self) -> int: ...
    @property
    def origin(self) -> str:
        """In a sentence."""
        ...

    @property
    def message(self) -> str:
        """What the interpreter said to the smaller size."""
        ...

    @property
    def fails_bytes(self) -> int | None:
        """The next smaller size, which was tried and failed; None where nothing was tried."""
        ...


class Built(Protocol):
    """A firmware project and its image."""

    @property
    def prepared(self) -> Prepared: ...
    @property
    def project(self) -> FirmwareProject: ...
    @property
    def folder(self) -> Path: ...
    @property
    def image(self) -> Image: ...
    @property
    def arena(self) -> Arena | None:
        """None where the arena was planned."""
        ...


class Measured(Protocol):
    """What ran, where, and what came out."""

    @property
    def built(self) -> Built: ...
    @property
    def emulator(self) -> str:
        """Name and version."""
        ...

    @property
    def run(self) -> Run: ...
    @property
    def samples_digest(self) -> str: ...
