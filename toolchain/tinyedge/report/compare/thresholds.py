"""What figures may grow by before it is a regression."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinyedge.errors import UsageError
from tinyedge.report.compare.subject import FIGURES
from tinyedge.tables import TableError, nearest, read_table, read_toml, require_range


@dataclass(frozen=True)
class GrowthPercent:
    """Percent of the first run's figure that each may be above it."""

    default: float = 3.0
    """of every figure that is not named"""
    instructions: float | None = None
    """of one inference"""
    cycles: float | None = None
    """of one inference"""
    latency_us: float | None = None
    """of one inference"""
    energy_uj: float | None = None
    """of one inference"""
    flash_bytes: float | None = None
    """of the image"""
    ram_bytes: float | None = None
    """of the image"""
    arena_bytes: float | None = None
    """of the model's tensors"""
    state_bytes: float | None = None
    """of what inferences leave for the next"""
    stack_peak_bytes: float | None = 25.0
    """of the painted stack"""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None:
                require_range(name, value, 0)

    def of(self, figure: str) -> float:
        named: float | None = getattr(self, figure, None)
        return self.default if named is None else named


@dataclass(frozen=True)
class LayerGrowthPercent:
    """The same of each layer; what is left out is not judged."""

    instructions: float | None = None
    """of one layer"""
    cycles: float | None = None
    """of one layer"""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None:
                require_range(name, value, 0)


@dataclass(frozen=True)
class Thresholds:
    """What a comparison lets through."""

    growth_percent: GrowthPercent = field(default_factory=GrowthPercent)
    """what figures may grow by"""
    layer_growth_percent: LayerGrowthPercent = field(default_factory=LayerGrowthPercent)
    """what figures of single layers may grow by"""
    accuracy_fall: float = 0.005
    """what the accuracy on the device may fall by: 0.01 is a point of a hundred"""
    ignore: tuple[str, ...] = ()
    """figures that are shown and not judged"""

    def __post_init__(self) -> None:
        require_range("accuracy_fall", self.accuracy_fall, 0, 1)
        for name in self.ignore:
            if name not in FIGURES:
                raise ValueError(f"`ignore` has `{name}`; {nearest(name, FIGURES)}")

    def limit(self, figure: str, base: float) -> float | None:
        """The worst value that is let through; None where a figure is not judged."""
        if figure in self.ignore:
            return None
        if figure == "accuracy":
            return base - self.accuracy_fall
        if figure == "mismatches":
            return base
        return base * (1 + self.growth_percent.of(figure) / 100)

    def layer_limit(self, figure: str, base: float) -> float | None:
        """The same of a layer."""
        percent: float | None = getattr(self.layer_growth_percent, figure)
        return None if percent is None else base * (1 + percent / 100)


def read_thresholds(path: Path) -> Thresholds:
    """A file of thresholds. Raises: UsageError when it breaks a rule."""
    try:
        return read_table(Thresholds, read_toml(path))
    except TableError as error:
        raise UsageError(
            f"`{path}` holds no thresholds: {error}", hint="docs/compare.md shows a file with every key"
        ) from error
