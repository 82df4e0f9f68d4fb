"""Quantization-aware training: weights and activations are rounded to int8 in the forward pass while training goes on.

Weights that are zero stay zero, so a pruned model keeps its sparsity; weights of few values keep them.
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
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.observers import Observer, min_max
from tinyedge.train.compress.straight_through import forms_kept
from tinyedge.train.fit import Training
from tinyedge.train.layers import activation_name, describe, first_line, inbound_layers, kind_of
from tinyedge.train.matching import one_or_all
from tinyedge.train.rewrite import WEIGHTED, custom_objects, flatten_model

_CALIBRATION_SAMPLES = 1024
"""training inputs, spread evenly, whose activations give the first ranges"""
_EMPTY_RANGE = 1e-5
"""a channel whose weights span less than this share of the layer's widest channel holds nothing but zeros"""


_NORMALIZED = ("Conv2D", "DepthwiseConv2D", "Dense")
_ACTIVATIONS = ("linear", "relu", "softmax", "sigmoid", "tanh", "swish", "gelu", "NoOpActivation")
"""those the library can round at; the last is its own, for one that is fused"""
_COMPUTE_NOTHING = (
    "InputLayer",
    "QuantizeLayer",
    "Dropout",
    "SpatialDropout",
    "Random",
    "Gaussian",
    "Flatten",
    "Reshape",
)
"""what the kinds of layers begin with that do nothing to values once the model is trained"""


@dataclass(frozen=True)
class QuantizeAware(Technique):
    """int8 quantization-aware training that keeps zeros, with ranges that start at what the float model shows."""

    name: ClassVar[str] = "quantize_aware"
    changes: ClassVar[Changes] = "ranges"

    epochs: int
    """times that the training sees every sample with rounded weights"""
    learning_rate: float = 0.0001
    """the largest of this training"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        aware = self._wrap(model)
        return aware, calibration_note(aware, self.name)

    def apply(self, model: Any, training: Training) -> Any:
        aware = self._wrap(model)
        inputs = training.data.train_inputs
        chosen = np.linspace(0, len(inputs[0]) - 1, min(len(inputs[0]), _CALIBRATION_SAMPLES)).astype(int)
        calibrate_ranges(aware, one_or_all([array[chosen] for array in inputs]))
        kept = forms_kept(aware, flatten_model(model))
        callbacks = [kept.callback()] if kept.is_needed else []
        training.fit(aware, self.name, epochs=self.epochs, learning_rate=self.learning_rate, callbacks=callbacks)
        kept.finish()
        widen_empty_channels(aware)
        return aware

    def _wrap(self, model: Any) -> Any:
        return with_rounding(model, self.name)


def with_rounding(model: Any, technique: str) -> Any:
    """The model with rounding in every layer the library supports. Raises: ModelError, which names `technique`."""
    import tensorflow_model_optimization as tfmot
    from tf_keras.models import clone_model
    from tf_keras.utils import custom_object_scope

    flat = flatten_model(model)
    annotate = tfmot.quantization.keras.quantize_annotate_layer
    scheme = _scheme()
    registry = scheme.get_quantize_registry()
    supported = [layer for layer in flat.layers if _is_supported(layer, registry)]
    if not any(layer.weights for layer in supported):
        raise ModelError(
            "no layer with weights can be trained quantization-aware: there are "
            + ", ".join(describe(layer) for layer in flat.layers if layer.weights),
            hint=f"leave out the technique `{technique}`: the conversion quantizes any model after training",
        )
    names = {layer.name for layer in supported}
    try:
        with custom_object_scope(custom_objects(flat)):
            annotated = clone_model(
                flat, clone_function=lambda layer: annotate(layer) if layer.name in names else layer
            )
            return tfmot.quantization.keras.quantize_apply(annotated, scheme)
    except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
        raise ModelError(
            f"the model cannot be trained quantization-aware: {first_line(error)}",
            hint=f"leave out the technique `{technique}`: the conversion quantizes any model after training",
        ) from error


def _scheme() -> Any:
    """The library's scheme that keeps zeros, supporting only layers and activations that the library can round at."""
    import tensorflow_model_optimization as tfmot
    from tensorflow_model_optimization.python.core.quantization.keras.collab_opts.prune_preserve import (
        prune_preserve_quantize_registry as prune_preserve,
    )
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_quantize_registry as default_8bit,
    )

    class Registry(prune_preserve.Default8bitPrunePreserveQuantizeRegistry):  # type: ignore[misc]
        def supports(self, layer: Any) -> bool:
            if kind_of(layer) in (*WEIGHTED, "Activation") and activation_name(layer) not in _ACTIVATIONS:
                return False
            return bool(super().supports(layer) and default_8bit.Default8BitQuantizeRegistry().supports(layer))

    class Scheme(tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme):  # type: ignore[misc]
        def get_quantize_registry(self) -> Any:
            return Registry()

    return Scheme()


def _is_supported(layer: Any, registry: Any) -> bool:
    """Whether the library rounds in a layer. Batch normalization it takes behind a linear layer with a kernel alone."""
    if kind_of(layer) == "BatchNormalization":
        before = inbound_layers(layer)
        return (
            len(before) == 1
            and kind_of(before[0]) in _NORMALIZED
            and activation_name(before[0]) == "linear"
            and len(before[0]._outbound_nodes) == 1
        )
    if kind_of(layer) in ("SeparableConv1D", "SeparableConv2D"):
        return True
    return bool(registry.supports(layer))


def calibration_note(aware: Any, technique: str = "quantize_aware") -> tuple[str, ...]:
    """What is to be said of layers that are left to calibration; nothing when there are none."""
    left = left_to_calibration(aware)
    told = (
        f"`{technique}` leaves {', '.join(left)} to calibration: these are quantized by the representative "
        "samples alone"
    )
    return (told,) if left else ()


def left_to_calibration(aware: Any) -> list[str]:
    """The layers in words whose values are not rounded in training, though they compute something.

    The library also leaves the kernel of a layer alone when an activation that it does not know follows.
    """
    found = []
    for wrapper in aware.layers:
        config, layer = getattr(wrapper, "quantize_config", None), getattr(wrapper, "layer", None)
        if config is None or layer is None:
            if not kind_of(wrapper).startswith(_COMPUTE_NOTHING):
                found.append(describe(wrapper))
            continue
        has_kernel = any(hasattr(layer, kernel) for kernel in ("kernel", "depthwise_kernel"))
        if has_kernel and not config.get_weights_and_quantizers(layer):
            found.append(describe(layer))
    return found


def calibrate_ranges(aware: Any, inputs: Any) -> None:
    """Set the range of every activation to the smallest and largest value it takes over `inputs`.

    The library starts all ranges at [-6, 6] and moves them by 0.1 % a batch: a short training would end with most
    of the int8 range unused. All other variables (batch normalization's averages) keep their values.
    """
    saved = [(variable, variable.numpy()) for variable in aware.weights]
    with _ranges_follow_at_once(min_max) as ranges:
        aware(inputs, training=True)
    for variable, value in saved:
        if id(variable) not in ranges:
            variable.assign(value)


def observe_ranges(aware: Any, inputs: Any, observer: Observer) -> None:
    """Set the range of every activation, of the inputs too, to what `observer` makes of the values it takes over
    `inputs`, and that of every kernel to its own."""
    with _ranges_follow_at_once(observer):
        aware(inputs, training=True)


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
def _ranges_follow_at_once(observer: Observer) -> Iterator[set[int]]:
    """Within the block a range takes what is observed in a batch whole. Yields ids of those variables."""
    import tensorflow as tf
    from tensorflow_model_optimization.python.core.quantization.keras import quant_ops

    ranges: set[int] = set()
    moving_average, all_values = quant_ops.MovingAvgQuantize, quant_ops.AllValuesQuantize

    def observed(inputs: Any) -> Any:
        return inputs if observer is min_max else tf.clip_by_value(inputs, *observer(np.asarray(inputs)))

    def last_value(inputs: Any, min_var: Any, max_var: Any, **options: Any) -> Any:
        ranges.update((id(min_var), id(max_var)))
        return moving_average(observed(inputs), min_var, max_var, **{**options, "ema_decay": 0.0})

    def first_value(inputs: Any, min_var: Any, max_var: Any, **options: Any) -> Any:
        return all_values(observed(inputs), min_var, max_var, **options)

    with (
        mock.patch.object(quant_ops, "MovingAvgQuantize", last_value),
        mock.patch.object(quant_ops, "AllValuesQuantize", first_value),
    ):
        yield ranges


TECHNIQUE = QuantizeAware
