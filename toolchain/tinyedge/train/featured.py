"""Features of a recipe: what its model is trained on is computed of the recordings by the very C that a device runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from tinyedge.errors import UsageError
from tinyedge.features.contract import Features
from tinyedge.features.host import compute, compute_values
from tinyedge.features.quantize import fit_input
from tinyedge.graph.ir import Graph
from tinyedge.train.splits import Array, Splits


def with_features(splits: Splits, features: Features) -> Splits:
    """The splits, whose inputs are signals: the model takes the features of each.

    Shape:   inputs float32 [N, instants], or [N, instants, axes], in the units of data files
    Raises:  UsageError when the inputs are no signals of these features, or too short for a single row
    """
    inputs = splits.train_inputs
    if splits.features is not None:
        raise UsageError(
            "data.py gives `features`, and recipe.toml has a table [features]", hint="leave one of them out"
        )
    if not isinstance(inputs, np.ndarray) or inputs.ndim not in (2, 3) or (*inputs.shape, 1)[2] != features.axes:
        told = list(inputs.shape) if isinstance(inputs, np.ndarray) else "several arrays"
        raise UsageError(
            f"the features `{features.kind}` take signals [N, instants, {features.axes}]; the data is {told}",
            hint="docs/features.md says what each kind takes",
        )
    if not features.rows(inputs.shape[1]):
        raise UsageError(
            f"the windows of [data] have {inputs.shape[1]:,} samples of time; a row of the features "
            f"`{features.kind}` takes {features.window:,}",
            hint="a longer `window` in [data], or a shorter one in [features]",
        )
    return replace(splits, features=lambda signals: values_of(features, signals))


def values_of(features: Features, signals: Array) -> Array:
    """What a network is trained on.  Shape: [N, instants(, axes)] -> float32 [N, rows, channels]."""
    rows = [compute_values(features, features.to_samples(signal)) for signal in signals]
    return np.stack(rows).astype(np.float32) * np.float32(features.unit)


def device_samples(features: Features, signals: Array, graph: Graph) -> tuple[Array, Array]:
    """(the input of the graph as the device computes it, the samples it computes it of).

    Shape:   signals [N, instants(, axes)] -> [N, *tensor.shape], [N, instants, axes]
    Raises:  ModelError when the features do not fit the input
    """
    (tensor,) = graph.input_tensors()
    filled = fit_input(features, graph.name, tensor)
    raw = np.stack([features.to_samples(signal) for signal in signals])
    raw = raw.reshape(*raw.shape[:2], features.axes)[:, : filled.instants]
    return np.stack([compute(filled, signal) for signal in raw]).reshape(len(raw), *tensor.shape), raw


def features_table(features: Features | None) -> dict[str, Any] | None:
    """The table [features] that `read_features` makes equal ones of."""
    if features is None:
        return None
    values: Mapping[str, Any] = asdict(features)  # type: ignore[call-overload]
    kept = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {"kind": features.kind, **{name: value for name, value in kept.items() if value is not None}}
