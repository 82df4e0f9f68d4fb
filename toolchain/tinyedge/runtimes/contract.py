"""What a runtime is: one way to run a model in a firmware, from what is known beforehand to the image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from tinyedge.artifacts import Built, Observer, Optimize, Prepared, Protocols, QuantizedModel
from tinyedge.boards import Board
from tinyedge.digests import digest

_LONGEST_FOLDER = 120


class Runtime(Protocol):
    """One runtime. Everything that tells it from others is behind this; who uses it asks for nothing else.

    What its firmware has to compute travels with what it prepares, as `Prepared.reference`.
    """

    name: ClassVar[str]
    has_budgets: ClassVar[bool]
    """the figures of a recipe's budget.toml are of this runtime"""

    def prepare(
        self,
        model: QuantizedModel,
        board: Board,
        optimize: Optimize,
        build_dir: Path,
        observer: Observer,
        *,
        keep_inputs: bool = False,
        max_ram_bytes: int | None = None,
        input_rows: bool = False,
    ) -> Prepared:
        """Everything that is known before anything is compiled; refuses what cannot run or fit.

        build_dir      where what the oracle computes is kept, below `<model>/`
        keep_inputs    no inference overwrites its inputs
        max_ram_bytes  arena and state have at most so many bytes, at the price of time
        input_rows     the rows of the input are given one by one

        Raises: ModelError, FitError; UsageError when the runtime's sources are not where they were said to be, or it
        cannot keep inputs, cannot trade time for RAM, or take rows
        """
        ...

    def build(
        self,
        prepared: Prepared,
        compiler: str,
        build_dir: Path,
        observer: Observer,
        *,
        protocol: Protocols = "tinyedge",
    ) -> Built:
        """The firmware project and its image, in a folder of this runtime below `<build_dir>/<model>/`.

        prepared  what this runtime prepared
        protocol  what the firmware speaks; `mlperf` is that of MLPerf Tiny's runner

        Raises: ToolError, FitError, UsageError, CheckError
        """
        ...

    def build_joint(
        self, prepared: Sequence[Prepared], compiler: str, build_dir: Path, observer: Observer, *, shared_arena: bool
    ) -> tuple[Built, ...]:
        """One firmware of several models, and what it is to each of them; in a folder below `<build_dir>/<a>+<b>/`.

        shared_arena  they run in one arena, one after the other; else each has its own

        Raises: as `build`; UsageError when the runtime runs one model only, or two have the same name in C
        """
        ...


def expected_folder(build_dir: Path, model: QuantizedModel) -> Path:
    """Where the oracle's outputs for a model are kept."""
    return build_dir / model.name / "expected"


def joint_name(models: Sequence[str]) -> str:
    """The folder of the firmware of some models.

    >>> joint_name(["digits", "kws"])
    'digits+kws'
    """
    name = "+".join(models)
    return name if len(name) <= _LONGEST_FOLDER else f"{name[: _LONGEST_FOLDER - 9]}_{digest(name)[:8]}"
