"""What is compared: the figures of one run, as its document has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Known:
    """A figure of a run. `upper` is the other bound, where nobody knows more than bounds."""

    value: float
    kind: str
    """`counted`, `modelled`, `measured`; `linked` of sizes, `painted` of the stack, `verified` of samples compared"""
    upper: float | None = None


@dataclass(frozen=True)
class LayerFigures:
    """One layer of a run."""

    index: int
    operator: str
    output_shape: tuple[int, ...]
    figures: Mapping[str, float]
    """`instructions` and `cycles`, where they are known"""
    kernel: str = ""

    @property
    def likeness(self) -> tuple[str, tuple[int, ...]]:
        """What layers of two models that are the same have in common."""
        return self.operator, self.output_shape


@dataclass(frozen=True)
class Subject:
    """A run, or a build, that is compared."""

    label: str
    model: str
    board: str
    runtime: str
    compiler: str
    optimize: str
    emulator: str
    """its name without a version, or a board's port; empty of a build"""
    figures: Mapping[str, Known]
    layers: tuple[LayerFigures, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """What pairs the runs of two folders."""
        return self.model, self.board, self.runtime, self.optimize, self.emulator

    @property
    def name(self) -> str:
        """The same for people."""
        return " ".join(
            part for part in (self.model, "on", self.board, f"({', '.join(filter(None, self.key[2:]))})") if part
        ).replace(" ()", "")


@dataclass(frozen=True)
class FigureName:
    """How a figure is called and written. `better` is the direction that is an improvement."""

    key: str
    title: str
    unit: str = ""
    better: str = "less"


FIGURES = {
    each.key: each
    for each in (
        FigureName("accuracy", "accuracy on the device", better="more"),
        FigureName("mismatches", "samples that differ"),
        FigureName("instructions", "instructions"),
        FigureName("cycles", "cycles"),
        FigureName("latency_us", "latency", "us"),
        FigureName("energy_uj", "energy", "uJ"),
        FigureName("flash_bytes", "flash", "B"),
        FigureName("ram_bytes", "RAM", "B"),
        FigureName("arena_bytes", "arena", "B"),
        FigureName("state_bytes", "state", "B"),
        FigureName("stack_peak_bytes", "stack peak", "B"),
    )
}
LAYER_FIGURES = ("instructions", "cycles")
