"""The state of every generator of random numbers that a training draws from: taken, and given back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def take_states(model: Any) -> dict[str, Any]:
    """The state of each generator, as JSON."""
    state: Any = np.random.get_state(legacy=True)
    _kind, keys, *place = state
    return {
        "python": random.getstate(),
        "numpy": [keys.tolist(), *place],
        "libraries": [generator.getstate() for generator in _library_generators()],
        "layers": [
            [generator._seed, None if generator._generator is None else generator._generator.state.numpy().tolist()]
            for generator in _layer_generators(model)
        ],
    }


def give_states(model: Any, states: dict[str, Any]) -> None:
    """The generators continue where they were when these states were taken."""
    random.setstate(_as_state(states["python"]))
    keys, *place = states["numpy"]
    np.random.set_state(("MT19937", np.array(keys, np.uint32), *place))
    for library, state in zip(_library_generators(), states["libraries"], strict=True):
        library.setstate(_as_state(state))
    for layer, (seed, state) in zip(_layer_generators(model), states["layers"], strict=True):
        layer._seed = seed
        if state is not None:
            layer._maybe_init()
            layer._generator.state.assign(state)


@contextmanager
def undisturbed() -> Iterator[None]:
    """What the block draws is not missed behind it: making layers anew changes no training that follows."""
    libraries = [(library, library.getstate()) for library in _library_generators()]
    own, arrays = random.getstate(), np.random.get_state(legacy=True)
    yield
    random.setstate(own)
    np.random.set_state(arrays)
    for library, state in libraries:
        library.setstate(state)


def _as_state(state: Any) -> Any:
    version, numbers, gauss = state
    return version, tuple(numbers), gauss


def _library_generators() -> list[random.Random]:
    """Where TensorFlow and Keras take the seeds of operations from."""
    from tensorflow.python.eager import context
    from tf_keras.src import backend

    return [context.context()._rng, backend._SEED_GENERATOR.generator]


def _layer_generators(model: Any) -> list[Any]:
    """Those of dropout and augmentation layers."""
    layers = model._flatten_layers(include_self=False)  # those that wrappers of techniques hold as well
    return [layer._random_generator for layer in layers if getattr(layer, "_random_generator", None)]
