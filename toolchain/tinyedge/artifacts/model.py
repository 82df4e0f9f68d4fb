"""A quantized model: what training or a file gives, and what every stage behind it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt


@dataclass(frozen=True)
class QuantizedModel:
    """A full-int8 .tflite, and, when tinyedge trained it, its accuracies and its test set.

    `samples` int8 [N, *input shape] with `labels` [N], or None for a model that came without data.
    """

    name: str
    tflite: bytes
    digest: str
    float_accuracy: float | None = None
    int8_accuracy: float | None = None
    sparsity: float | None = None
    """share of zero weights"""
    samples: npt.NDArray[Any] | None = None
    labels: npt.NDArray[Any] | None = None
    """None for a regression too, which has no accuracy"""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """further figures of the training by name, e.g. `int8_mean_absolute_error`, `parameters`, `train_seconds`"""

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.name,
            "digest": self.digest,
            "tflite_bytes": len(self.tflite),
            "accuracy": {"float": self.float_accuracy, "int8": self.int8_accuracy},
            "sparsity": self.sparsity,
            "metrics": dict(self.metrics),
        }
