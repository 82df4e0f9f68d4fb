"""Quantization-aware training: weights and activations are rounded to int8 in the forward pass while training goes on.

Weights that are zero stay zero, so a pruned model keeps its sparsity.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest import mock

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.tables import require_range
from tinyedge.train.fit import Training

_CALIBRATION_SAMPLES = 1024
"""training inputs, spread evenly, whose activations give the first ranges"""
_EMPTY_RANGE = 1e-5
"""a channel whose weights span less than this share of the layer's widest channel holds nothing but zeros"""


@dataclass(frozen=True)
class QuantizeAware:
    """int8 quantization-aware training that keeps zeros, with ranges that start at what the float model shows."""

    name: ClassVar[str] = "quantize_aware"
    must_be_last: ClassVar[bool] = True

    epochs: int
    learning_rate: float = 0.0001

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def apply(self, model: Any, training: Training) -> Any:
        import tensorflow_model_optimization as tfmot

        try:
            annotated = tfmot.quantization.keras.quantize_annotate_model(model)
            aware = tfmot.quantization.keras.quantize_apply(
                annotated, tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme()
            )
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"the model cannot be trained quantization-aware: {error}",
                hint="leave out the technique `quantize_aware`: the conversion quantizes any model after training",
            ) from error
        refuse_unquantized_kernels(aware)
        inputs = training.splits.train_inputs
        chosen = np.linspace(0, len(inputs) - 1, min(len(inputs), _CALIBRATION_SAMPLES)).astype(int)
        calibrate_ranges(aware, inputs[chosen])
        training.fit(aware, self.name, epochs=self.epochs, learning_rate=self.learning_rate)
        widen_empty_channels(aware)
        return aware


def refuse_unquantized_kernels(aware: Any) -> None:
    """Refuse a model in which a layer's kernel would silently be trained in float.

    The library leaves a layer alone when a separate ReLU follows it without batch normalization between them.

    Raises: ModelError that names the layer
    """
    for wrapper in aware.layers:
        config = getattr(wrapper, "quantize_config", None)
        layer = getattr(wrapper, "layer", None)
        if config is None or layer is None:
            continue
        has_kernel = any(hasattr(layer, kernel) for kernel in ("kernel", "depthwise_kernel"))
        if has_kernel and not config.get_weights_and_quantizers(layer):
            raise ModelError(
                f"layer `{layer.name}` would not be trained quantization-aware: a separate activation follows it",
                hint=f'give `{layer.name}` the activation itself, as activation="relu", and drop the layer behind it',
            )


def calibrate_ranges(aware: Any, inputs: Any) -> None:
    """Set the range of every activation to the smallest and largest value it takes over `inputs`.

    The library starts all ranges at [-6, 6] and moves them by 0.1 % a batch: a short training would end with most
    of the int8 range unused. All other variables (batch normalization's averages) keep their values.
    """
    saved = [(variable, variable.numpy()) for variable in aware.weights]
    with _ranges_follow_at_once() as ranges:
        aware(inputs, training=True)
    for variable, value in saved:
        if id(variable) not in ranges:
            variable.assign(value)


def widen_empty_channels(aware: Any) -> None:
    """Give channels whose weights are all zero the range of their layer's widest channel.

    Their own range is empty, which the converter makes a scale of about 4e-9: the bias, a multiple of it, would
    overflow int32 and be clipped. Pruning often empties channels of small kernels.
    """
    for wrapper in aware.layers:
        by_name = {variable.name.rpartition("/")[2]: variable for variable in wrapper.weights}
        for name, low in by_name.items():
            high = by_name.get(name.replace("_min:", "_max:"))
            if "kernel_min:" not in name or high is None or len(low.shape) == 0:
                continue
            lows, highs = low.numpy(), high.numpy()
            empty = highs - lows < _EMPTY_RANGE * (highs - lows).max()
            low.assign(np.where(empty, lows.min(), lows))
            high.assign(np.where(empty, highs.max(), highs))


@contextmanager
def _ranges_follow_at_once() -> Iterator[set[int]]:
    """Within the block a range takes a batch's extremes whole. Yields the ids of the variables it was done to."""
    from tensorflow_model_optimization.python.core.quantization.keras import quant_ops

    ranges: set[int] = set()
    moving_average = quant_ops.MovingAvgQuantize

    def last_value(inputs: Any, min_var: Any, max_var: Any, **options: Any) -> Any:
        ranges.update((id(min_var), id(max_var)))
        return moving_average(inputs, min_var, max_var, **{**options, "ema_decay": 0.0})

    with mock.patch.object(quant_ops, "MovingAvgQuantize", last_value):
        yield ranges


TECHNIQUE = QuantizeAware
