"""What the weights of each layer take in flash: as they are stored, and a byte each; and why zeros stay in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyedge.artifacts import Plan, PlannedLayer
from tinyedge.kernels.common.storage import NO_SMALLER
from tinyedge.report.table import Cell, format_bytes, format_share, render_table

_MANY_ZEROS = 0.25
"""a dense layer has far fewer"""
_WITHOUT_ZEROS = ("_nonzeros", "_bitmap", "_bitmap_tiled")
"""ends of the names of kernels that leave zeros out"""
_COST = " cycles, "
"""in what is said of a kernel that fits"""


@dataclass(frozen=True)
class LayerWeights:
    """Of one layer: how its weights lie in flash, the bytes they take there, and what they would take a byte each.

    note  why zeros are stored, where there are many
    """

    form: str
    stored_bytes: int
    unpacked_bytes: int
    note: str = ""


def layer_weights(planned: PlannedLayer) -> LayerWeights | None:
    """None for a layer without weights of its own."""
    weights = getattr(planned.layer.params, "weights", None)
    if not isinstance(weights, np.ndarray):
        return None
    if (storage := planned.cost.storage) is not None:
        return LayerWeights(storage.form, storage.stored_bytes, storage.unpacked_bytes)
    form = weights.dtype.name
    return LayerWeights(form, weights.nbytes, weights.size * weights.dtype.itemsize, _zeros_note(planned, weights))


def _zeros_note(planned: PlannedLayer, weights: np.ndarray[Any, Any]) -> str:
    zeros = float(np.mean(weights == 0))
    said = [text for name, text in planned.considered if name.endswith(_WITHOUT_ZEROS)]
    if zeros < _MANY_ZEROS or not said:
        return ""
    if any(_COST in text for text in said):
        why = "leaving them out costs more than it saves"
    elif any(NO_SMALLER in text for text in said):
        why = "without them the weights are no smaller"
    else:
        why = min(said, key=len)
    return f"{format_share(round(1000 * zeros), 1000)} zeros stay in: {why}"


def weights_table(layers: Sequence[PlannedLayer]) -> str:
    """The layers with weights and a total; nothing unless some are stored otherwise than a byte each, or could be."""
    found = [(step, each, weights) for step, each in enumerate(layers) if (weights := layer_weights(each)) is not None]
    if all(each.cost.storage is None and not weights.note for _, each, weights in found):
        return ""
    rows: list[tuple[Cell, ...]] = [
        (str(step), each.layer.name, *_cells(weights.form, weights.stored_bytes, weights.unpacked_bytes))
        for step, each, weights in found
    ]
    stored, unpacked = (sum(getattr(w, name) for _, _, w in found) for name in ("stored_bytes", "unpacked_bytes"))
    rows.append(("", "all", *_cells("", stored, unpacked)))
    table = render_table(("step", "operator", "weights as", "flash: stored", "unpacked", "share"), rows)
    notes = [f"step {step}: {weights.note}" for step, _, weights in found if weights.note]
    return "\n".join([table, *notes])


def _cells(form: str, stored: int, unpacked: int) -> tuple[Cell, ...]:
    return form, format_bytes(stored), format_bytes(unpacked), format_share(stored, unpacked)


def weights_json(planned: PlannedLayer) -> dict[str, Any] | None:
    """A layer's weights for a JSON document."""
    weights = layer_weights(planned)
    return None if weights is None else dict(vars(weights))


def plan_weights(plan: Plan | None) -> dict[int, dict[str, Any] | None]:
    """By the operator's index, for the layers of a run; empty where there is no plan of tinyedge's."""
    return {} if plan is None else {each.layer.index: weights_json(each) for each in plan.layers}
