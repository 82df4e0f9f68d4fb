"""CIFAR-10, in its binary or Python batches; without a folder, made-up stripes, and every report says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge.data import DataTable, load_parts
from tinyedge.train.source import made_up
from tinyedge.train.splits import Splits

_CLASSES, _EACH, _SIDE = 10, 60, 32


def load(folder: str) -> Splits:
    """Pixels in [0, 1]. The test batch is the test; a tenth of the others is for the validation.

    folder  `cifar-10-batches-bin` or `cifar-10-batches-py`; empty: made-up pictures
    """
    if not folder:
        return _made_up()
    parts = load_parts(DataTable(source=Path(folder)))
    found = {}
    for name, arrays in parts.named().items():
        (images,) = arrays.inputs.values()
        found |= {f"{name}_inputs": np.asarray(images, np.float32), f"{name}_targets": arrays.labels}
    names = parts.train.class_names
    return Splits(**found, class_names=names, made_up=made_up(Path(folder)), notes=parts.notes)


def _made_up() -> Splits:
    """Stripes: each class has a direction and a width of its own, in colours and at places that vary."""
    random = np.random.default_rng(0)
    classes = np.tile(np.arange(_CLASSES), _EACH)
    images = np.stack([_stripes(int(number), random) for number in classes])
    train, test = slice(0, 450), slice(450, None)
    return Splits(images[train], classes[train], images[test], classes[test], made_up="stripes of ten kinds")


def _stripes(number: int, random: np.random.Generator) -> npt.NDArray[np.float32]:
    angle, waves = (number % 5) * np.pi / 5, 2 + 3 * (number // 5)
    y, x = np.mgrid[:_SIDE, :_SIDE] / _SIDE
    phase = 2 * np.pi * (waves * (x * np.cos(angle) + y * np.sin(angle)) + random.random())
    colour = random.uniform(0.3, 1.0, 3)
    image = 0.5 + 0.35 * np.sin(phase)[..., None] * colour + random.normal(0, 0.1, (_SIDE, _SIDE, 3))
    return np.clip(image, 0, 1).astype(np.float32)
