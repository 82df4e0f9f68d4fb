"""What a network that may answer before its end did: how often, at what cost, and what other thresholds would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Way:
    """The samples that took one way out. Accuracies are None without labels, instructions where nothing counts them."""

    samples: int
    accuracy: float | None
    instructions: int | None
    """counted, the median"""


@dataclass(frozen=True)
class ExitPoint:
    """What one threshold gives: the share that leaves early, and mean instructions of the medians of both ways."""

    threshold: int
    rate: float
    accuracy: float | None
    instructions: float | None


@dataclass(frozen=True)
class Exits:
    """The early exit of a network, over the samples of a run.

    threshold  steps of the side head's logits by which the largest must lead by more; a step is of `scale`
    curve      other thresholds, from 0 to one at which none leaves early; their accuracies are worked out on the host
    """

    threshold: int
    scale: float
    early: Way
    late: Way
    mean_instructions: float | None
    worst_instructions: int | None
    curve: tuple[ExitPoint, ...]

    @property
    def samples(self) -> int:
        return self.early.samples + self.late.samples

    @property
    def rate(self) -> float:
        """Share of the samples that leave early."""
        return self.early.samples / max(self.samples, 1)

    @property
    def whole(self) -> ExitPoint:
        """The network without the exit: every sample goes to the end."""
        return self.curve[-1]

    def to_json(self) -> Mapping[str, Any]:
        def way(found: Way) -> dict[str, Any]:
            return {
                "samples": found.samples,
                "accuracy": found.accuracy,
                "instructions": {"kind": "counted", "value": found.instructions},
            }

        return {
            "threshold": self.threshold,
            "scale": self.scale,
            "rate": self.rate,
            "early": way(self.early),
            "late": way(self.late),
            "mean_instructions": {"kind": "counted", "value": self.mean_instructions},
            "worst_instructions": {"kind": "counted", "value": self.worst_instructions},
            "curve": [
                {
                    "threshold": point.threshold,
                    "rate": point.rate,
                    "accuracy": point.accuracy,
                    "mean_instructions": point.instructions,
                }
                for point in self.curve
            ],
        }
