"""The float training, kept: when a later stage fails or is changed, it goes on from here and gives the same bytes.

A file is named by the digest of all that determines the weights and holds them with the state of every generator of
random numbers. Only the newest of a recipe is kept.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.cache import Store
from tinyedge.data import source_digest
from tinyedge.digests import canonical_json, digest
from tinyedge.train.checkpoint import Row
from tinyedge.train.generators import give_states, take_states
from tinyedge.train.inputs import unrecorded
from tinyedge.train.matching import Matched
from tinyedge.train.recipe import Recipe
from tinyedge.train.rewrite import all_layers

_SUFFIX = ".float"


def stage_digest(recipe: Recipe, model: Any, data: Matched) -> str:
    """Digest of what the float weights come from: the data itself, the untrained model, and all code that is not
    installed as a package."""
    table = recipe.to_json()
    parts: list[bytes | str] = [
        canonical_json({key: table[key] for key in ("fit", "seed", "task", "augment")}),
        *sorted({f"{package.name} {package.version}" for package in metadata.distributions()}),
        f"{sys.version_info[:3]} {sys.platform}",
        *(f"{head}" for head in data.heads),
        *(layer.name for layer in all_layers(model)),
    ]
    signals = () if data.signals is None else (data.signals,)
    validation = (*(data.validation_inputs or ()), *(data.validation_targets or ()))
    for array in (*data.train_inputs, *data.train_targets, *signals, *validation, *model.get_weights()):
        parts += [f"{array.dtype} {array.shape}", np.ascontiguousarray(array).tobytes()]
    parts += [source_digest(source) for source in recipe.noise_sources]
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
    with unrecorded():  # else any new file beside recipe.toml would count as another recipe
        beside = [*recipe.folder.glob("*.py"), *Path(__file__).parent.rglob("*.py")]
    yield from sorted({*loaded, *beside}, key=str)


def save(folder: Path, name: str, model: Any, rows: Sequence[Row]) -> None:
    """Keep the weights of `model`, the generators as they are now, and the figures of its epochs; earlier stages go."""
    stream = io.BytesIO()
    weights = {f"w{index}": weight for index, weight in enumerate(model.get_weights())}
    head = json.dumps({"rows": list(rows), "states": take_states(model)})
    np.savez(stream, head=np.frombuffer(head.encode(), np.uint8), **weights)
    Store(folder, _SUFFIX).put(name, stream.getvalue())
    for other in folder.glob(f"*{_SUFFIX}"):
        if other.stem != name:
            other.unlink(missing_ok=True)


def restore(folder: Path, name: str, model: Any) -> list[Row] | None:
    """Give `model` the weights that were kept under this name, and the generators their state.

    Returns the figures of its epochs; None, and changes nothing, when there are none, or the file is damaged.
    """
    data = Store(folder, _SUFFIX).get(name)
    if data is None:
        return None
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        weights = [archive[f"w{index}"] for index in range(len(archive.files) - 1)]
        head = json.loads(archive["head"].tobytes())
    model.set_weights(weights)
    give_states(model, head["states"])
    rows: list[Row] = head["rows"]
    return rows
