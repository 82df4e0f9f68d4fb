"""Conversions kept by the digest of all that determines them, in the user's checked cache."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from tinyedge import __version__
from tinyedge.artifacts import QuantizedModel
from tinyedge.artifacts.conversion import Conversion, LayerNoise
from tinyedge.cache import Store, user_store
from tinyedge.convert.contract import Settings
from tinyedge.data import Arrays
from tinyedge.digests import canonical_json, digest
from tinyedge.graph.ir import Array
from tinyedge.paths import cache_dir

_MOST = 64
"""conversions"""
_ROOMS = ("convert", "data", "graph", "ops", "arithmetic", "optimize", "train")
"""of tinyedge: whose code a conversion runs"""
_DOCUMENT, _MODEL = "conversion.json", "model.tflite"


def conversion_store() -> Store:
    """Raises: UsageError when the cache cannot be used."""
    return user_store(cache_dir() / "converted", ".zip")


def conversion_digest(
    path: Path, name: str, data: Arrays, settings: Settings, versions: Mapping[str, str], surroundings: str
) -> str:
    """Digest of the source, the data, the settings, tinyedge's code, the packages, and `surroundings`: another Python's
    contents, say."""
    package = Path(__file__).parents[1]
    sources = sorted(file for room in _ROOMS for file in (package / room).rglob("*.py"))
    parts: list[bytes | str] = [
        __version__,
        name,
        canonical_json({**settings.to_json(), "timeout_s": None}),
        canonical_json(dict(versions)),
        surroundings,
        canonical_json(list(data.class_names)),
        *(part for file in sources for part in (file.relative_to(package).as_posix(), file.read_bytes())),
        *_contents(path),
    ]
    arrays = {**data.inputs, **({} if data.labels is None else {"labels": data.labels})}
    for called, array in arrays.items():
        parts += [called, f"{array.dtype} {array.shape}", np.ascontiguousarray(array).tobytes()]
    return digest(*parts)


def _contents(path: Path) -> Iterator[bytes | str]:
    """Of a file, or of all files of a folder with their names."""
    if path.is_dir():
        for file in sorted(entry for entry in path.rglob("*") if entry.is_file()):
            yield file.relative_to(path).as_posix()
            yield file.read_bytes()
    else:
        yield path.read_bytes()


def save(key: str, conversion: Conversion) -> None:
    """Keep a conversion. Raises: OSError, UsageError."""
    model = conversion.model
    document = {
        **conversion.to_json(),
        "name": model.name,
        "float_accuracy": model.float_accuracy,
        "int8_accuracy": model.int8_accuracy,
        "sparsity": model.sparsity,
        "metrics": dict(model.metrics),
        "class_names": list(model.class_names),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_DOCUMENT, json.dumps(document))
        archive.writestr(_MODEL, model.tflite)
        for index, samples in enumerate(model.samples or ()):
            archive.writestr(f"samples_{index}.npy", _npy(samples))
        if model.labels is not None:
            archive.writestr("labels.npy", _npy(model.labels))
    store = conversion_store()
    store.put(key, stream.getvalue())
    store.trim(_MOST)


def load(key: str) -> Conversion | None:
    """A kept conversion; None when there is none. Raises: UsageError when the cache cannot be used."""
    contents = conversion_store().get(key)
    if contents is None:
        return None
    with zipfile.ZipFile(io.BytesIO(contents)) as archive:
        document = json.loads(archive.read(_DOCUMENT))
        tflite = archive.read(_MODEL)
        names = sorted(name for name in archive.namelist() if name.startswith("samples_"))
        samples = tuple(_array(archive.read(f"samples_{index}.npy")) for index in range(len(names)))
        labels = _array(archive.read("labels.npy")) if "labels.npy" in archive.namelist() else None
    model = QuantizedModel(
        name=document["name"],
        tflite=tflite,
        digest=digest(tflite),
        float_accuracy=document["float_accuracy"],
        int8_accuracy=document["int8_accuracy"],
        sparsity=document["sparsity"],
        samples=samples or None,
        labels=labels,
        metrics=document["metrics"],
        class_names=tuple(document["class_names"]),
    )
    return Conversion(
        model=model,
        source=document["source"],
        types=document["types"],
        float_bytes=document["float_bytes"],
        samples=document["samples"],
        largest_difference=document["largest_difference"],
        largest_value=document["largest_value"],
        agreement=document["agreement"],
        layers=tuple(LayerNoise.from_json(layer) for layer in document["layers"]),
        notes=tuple(document["notes"]),
        versions=document["versions"],
    )


def _npy(array: Array) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def _array(data: bytes) -> Array:
    array: Array = np.load(io.BytesIO(data), allow_pickle=False)
    return array
