"""The float training, kept: when a later stage fails or is changed, it goes on from here and gives the same bytes.

A file is named by the digest of all that determines the weights and holds them with the state of every generator of
random numbers. Only the newest of a recipe is kept.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.cache import Store
from tinyedge.digests import canonical_json, digest
from tinyedge.train.matching import Matched
from tinyedge.train.recipe import Recipe
from tinyedge.train.rewrite import all_layers

_SUFFIX = ".float"


def stage_digest(recipe: Recipe, model: Any, data: Matched) -> str:
    """Digest of what the float weights come from: the data itself, the untrained model, and all code that is not
    installed as a package."""
    table = recipe.to_json()
    parts: list[bytes | str] = [
        canonical_json({key: table[key] for key in ("fit", "seed", "task")}),
        *sorted({f"{package.name} {package.version}" for package in metadata.distributions()}),
        f"{sys.version_info[:3]} {sys.platform}",
        *(f"{head}" for head in data.heads),
        *(layer.name for layer in all_layers(model)),
    ]
    for array in (*data.train_inputs, *data.train_targets, *model.get_weights()):
        parts += [f"{array.dtype} {array.shape}", np.ascontiguousarray(array).tobytes()]
    parts += [path.read_bytes() for path in _own_sources(recipe)]
    return digest(*parts)


def _own_sources(recipe: Recipe) -> Iterator[Path]:
    """The Python files loaded from outside the Python installation, and those of the recipe and of this room."""
    files = {
        Path(file).resolve() for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))
    }
    outside = {
        path for path in files if path.suffix == ".py" and not {"site-packages", "dist-packages"} & set(path.parts)
    }
    standard = Path(json.__file__).resolve().parent.parent
    made = Path(tempfile.gettempdir()).resolve()  # sources that AutoGraph makes, of new names each time
    loaded = {path for path in outside if standard not in path.parents and made not in path.parents}
    yield from sorted({*loaded, *recipe.folder.glob("*.py"), *Path(__file__).parent.rglob("*.py")}, key=str)


def save(folder: Path, name: str, model: Any) -> None:
    """Keep the weights of `model` and the generators as they are now; earlier stages go."""
    stream = io.BytesIO()
    weights = {f"w{index}": weight for index, weight in enumerate(model.get_weights())}
    np.savez(stream, states=np.frombuffer(json.dumps(_states(model)).encode(), np.uint8), **weights)
    Store(folder, _SUFFIX).put(name, stream.getvalue())
    for other in folder.glob(f"*{_SUFFIX}"):
        if other.stem != name:
            other.unlink(missing_ok=True)


def restore(folder: Path, name: str, model: Any) -> bool:
    """Give `model` the weights that were kept under this name, and the generators their state.

    Returns False, and changes nothing, when there are none, or the file is damaged.
    """
    data = Store(folder, _SUFFIX).get(name)
    if data is None:
        return False
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        weights = [archive[f"w{index}"] for index in range(len(archive.files) - 1)]
        states = json.loads(archive["states"].tobytes())
    model.set_weights(weights)
    _set_states(model, states)
    return True


def _states(model: Any) -> dict[str, Any]:
    """The state of each generator that training draws from, as JSON."""
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


def _set_states(model: Any, states: dict[str, Any]) -> None:
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
    return [layer._random_generator for layer in all_layers(model) if getattr(layer, "_random_generator", None)]
