"""A model of Keras 3 rebuilt in Keras 2, layer by layer, for what only Keras 2 can do: quantization-aware training.

Weights are copied, and what the two say to the same samples is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyedge.convert.layer_settings import settings_for_keras_2
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array
from tinyedge.train.matching import one_or_all

TOLERANCE = 1e-4
"""how far the rebuilt model may be from its source, of the source's largest value (at least 1)"""
_WITHOUT_TRAINING = "without `--qat` it is converted as it is"
_OPERATIONS = {"Add": "Add", "Multiply": "Multiply", "Subtract": "Subtract", "Maximum": "Maximum", "Minimum": "Minimum"}
"""functions of keras.ops -> layers of Keras that do the same to two tensors"""


@dataclass
class _Rebuilt:
    """The layers made so far, by the ids of those of the source, and the outputs of each, in their order."""

    layers: dict[int, Any] = field(default_factory=dict)
    steps: list[tuple[str, Any, Any]] = field(default_factory=list)
    """(what made it, tensor of the source, tensor of the rebuilt model)"""


def rebuild(model: Any, samples: Sequence[Array]) -> Any:
    """The same model in tf_keras.

    samples  of each input, [N, ...], that the two models are compared on

    Raises: ModelError that names the layers that Keras 2 does not have, or the first one that does something else there
    """
    import tf_keras

    network = _network(model)
    _refuse_unknown(network)
    rebuilt = _Rebuilt()
    inputs = [
        tf_keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name.split(":")[0])
        for tensor in network.inputs
    ]
    result = tf_keras.Model(inputs, one_or_all(_run(rebuilt, network, inputs, outermost=True)))
    _check_same(network, result, rebuilt.steps, samples)
    return result


def _network(model: Any) -> Any:
    """The functional model that a Sequential holds; any other is one. Raises: ModelError."""
    network = getattr(model, "_functional", None) or model
    if not hasattr(network, "_nodes_by_depth"):
        raise ModelError(
            f"`{model.name}` ({type(model).__name__}) is subclassed: its layers cannot be rebuilt one by one",
            hint=f"write it as a functional model; {_WITHOUT_TRAINING}",
        )
    return network


def _operations(network: Any) -> Iterator[Any]:
    """Layers, and functions of keras.ops, of a model and of those nested in it."""
    import keras

    for operation in network.operations:
        if isinstance(operation, keras.Model):
            yield from _operations(_network(operation))
        else:
            yield operation


def _refuse_unknown(network: Any) -> None:
    """Raises: ModelError that names all layers without a counterpart."""
    import keras
    import tf_keras

    unknown = []
    for operation in _operations(network):
        kind = type(operation).__name__
        if isinstance(operation, keras.layers.Layer):
            own = not type(operation).__module__.startswith("keras.")
            if own or not hasattr(tf_keras.layers, kind):
                unknown.append(f"`{operation.name}` ({kind})")
        elif kind not in _OPERATIONS:
            unknown.append(f"`{operation.name}` (keras.ops {kind})")
    if unknown:
        raise ModelError(
            f"quantization-aware training rebuilds the model in Keras 2, which does not have {', '.join(unknown)}",
            hint=f"write them with layers that both have; {_WITHOUT_TRAINING}",
        )


def _run(rebuilt: _Rebuilt, network: Any, inputs: Sequence[Any], *, outermost: bool = False) -> list[Any]:
    """The outputs of a model of the source, computed by layers of Keras 2 from `inputs`."""
    import keras
    import tensorflow as tf

    tensors = {id(old): new for old, new in zip(network.inputs, inputs, strict=True)}
    for depth in sorted(network._nodes_by_depth, reverse=True):
        for node in network._nodes_by_depth[depth]:
            if node.is_input:
                continue
            operation = node.operation
            arguments, named = node.arguments.fill_in(tensors)
            if isinstance(operation, keras.Model):
                outputs = _run(rebuilt, _network(operation), tf.nest.flatten(arguments[0]))
            else:
                outputs = tf.nest.flatten(_call(rebuilt, operation, arguments, named))
            for old, new in zip(node.output_tensors, outputs, strict=True):
                tensors[id(old)] = new
                if outermost:
                    rebuilt.steps.append((f"`{operation.name}` ({type(operation).__name__})", old, new))
    return [tensors[id(output)] for output in network.outputs]


def _call(rebuilt: _Rebuilt, operation: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    import keras
    import tf_keras

    kind = type(operation).__name__
    if not isinstance(operation, keras.layers.Layer):
        layer = getattr(tf_keras.layers, _OPERATIONS[kind])(name=f"{operation.name}_layer")
        operands = [*arguments, *named.values()]
        if not all(hasattr(operand, "_keras_history") for operand in operands):
            raise ModelError(
                f"`{operation.name}` (keras.ops {kind}) takes a constant, which no layer of Keras 2 does",
                hint=f"write it with a layer, as `Rescaling`; {_WITHOUT_TRAINING}",
            )
        return layer(operands)
    options = {name: value for name, value in named.items() if value is not None and name != "training"}
    layer = rebuilt.layers.get(id(operation))
    try:
        if layer is None:
            layer = rebuilt.layers[id(operation)] = _made(tf_keras, kind, operation.get_config())
            outputs = layer(*arguments, **options)
            layer.set_weights(operation.get_weights())
            return outputs
        return layer(*arguments, **options)
    except (ValueError, TypeError, NotImplementedError, KeyError) as error:
        told = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(
            f"layer `{operation.name}` ({kind}) cannot be rebuilt in Keras 2: {told[:300]}", hint=_WITHOUT_TRAINING
        ) from error


def _made(tf_keras: Any, kind: str, config: dict[str, Any]) -> Any:
    settings = settings_for_keras_2(tf_keras, kind, config)
    made = getattr(tf_keras.layers, kind)
    return made.from_config(settings) if "layer" in settings else made(**settings)


def _check_same(network: Any, rebuilt: Any, steps: Sequence[tuple[str, Any, Any]], samples: Sequence[Array]) -> None:
    """Raises: ModelError that names the first layer whose values differ."""
    import keras
    import tf_keras

    given = one_or_all(samples)
    if _differ(network(list(samples), training=False), rebuilt(given, training=False)) is None:
        return
    sources = keras.Model(network.inputs, [old for _, old, _ in steps])(list(samples), training=False)
    others = tf_keras.Model(rebuilt.inputs, [new for _, _, new in steps])(given, training=False)
    for (called, _, _), wanted, found in zip(steps, _flat(sources), _flat(others), strict=True):
        difference = _differ(wanted, found)
        if difference is not None:
            raise ModelError(
                f"layer {called} does something else in Keras 2: its values differ by {difference:.3g}",
                hint=f"write it with layers that mean the same in both; {_WITHOUT_TRAINING}",
            )
    raise ModelError("the model rebuilt in Keras 2 gives other outputs than its source", hint=_WITHOUT_TRAINING)


def _flat(outputs: Any) -> list[Array]:
    import tensorflow as tf

    return [np.asarray(output, np.float64) for output in tf.nest.flatten(outputs)]


def _differ(wanted: Any, found: Any) -> float | None:
    """The largest difference of any output, where it is more than rounding."""
    for own, other in zip(_flat(wanted), _flat(found), strict=True):
        difference = float(np.max(np.abs(own - other), initial=0.0)) if own.shape == other.shape else float("inf")
        if not difference <= TOLERANCE * max(1.0, float(np.max(np.abs(own), initial=0.0))):
            return difference
    return None
