"""What a conversion gave: the model, and how close it comes to its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinyedge.artifacts.model import QuantizedModel

WORST_LOSS = 0.01
"""of accuracy, above which a conversion says what to do"""
_LEAST_FALL_DB = 1.0
"""from one layer to the next, for the layer to be one that loses precision"""


@dataclass(frozen=True)
class LayerNoise:
    """One layer of the converted model, against the same layer of the float model.

    snr_db  10 log10 of the power of the float values over the power of the difference; None where there is none
    """

    name: str
    operator: str
    shape: tuple[int, ...]
    dtype: str
    snr_db: float | None

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "shape": list(self.shape)}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> LayerNoise:
        return cls(**{**table, "shape": tuple(table["shape"])})


@dataclass(frozen=True, eq=False)
class Conversion:
    """A model that came from another world.

    source                what it came from: `ONNX`, `float .tflite`
    types                 what was asked for: `int8`
    samples               how many the two were compared on
    largest_difference    of an output value to the source's, in real terms; `largest_value` is the source's largest
    agreement             share of samples (and places) with the same answer; None for a regression
    notes                 what a person should know
    """

    model: QuantizedModel
    source: str
    types: str
    float_bytes: int
    samples: int
    largest_difference: float
    largest_value: float
    agreement: float | None
    layers: tuple[LayerNoise, ...]
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    """of the packages that took part"""

    @property
    def loss(self) -> float | None:
        """Of accuracy; None without labels."""
        before, after = self.model.float_accuracy, self.model.int8_accuracy
        return None if before is None or after is None else before - after

    @property
    def worst_layers(self) -> tuple[LayerNoise, ...]:
        """Up to three layers that lose most, each against the one before it."""
        falls: list[tuple[float, LayerNoise]] = []
        before: float | None = None
        for layer in self.layers:
            if layer.snr_db is None:
                continue
            if before is not None:
                falls.append((before - layer.snr_db, layer))
            before = layer.snr_db
        return tuple(layer for fall, layer in sorted(falls, key=lambda entry: -entry[0])[:3] if fall >= _LEAST_FALL_DB)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "types": self.types,
            "float_bytes": self.float_bytes,
            "samples": self.samples,
            "largest_difference": self.largest_difference,
            "largest_value": self.largest_value,
            "agreement": self.agreement,
            "layers": [layer.to_json() for layer in self.layers],
            "notes": list(self.notes),
            "versions": dict(self.versions),
        }
