"""Visual Wake Words: pictures with and without a person; without a folder, made-up ones, and every report says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge.data import DataTable, load_parts
from tinyedge.train.source import made_up
from tinyedge.train.splits import Splits

_SIDE, _PICTURES = 96, 240
CLASSES = ("non_person", "person")


def load(folder: str) -> Splits:
    """Pixels in [0, 1], 96x96 in colour.

    folder  of the folders `non_person` and `person`, as MLPerf Tiny's vw_coco2014_96; empty: made-up pictures
    """
    if not folder:
        return _made_up()
    parts = load_parts(DataTable(source=Path(folder), classes=CLASSES, size=(_SIDE, _SIDE)))
    found = {}
    for name, arrays in parts.named().items():
        (images,) = arrays.inputs.values()
        groups = np.array(arrays.groups)
        found |= {f"{name}_inputs": images, f"{name}_targets": arrays.labels, f"{name}_groups": groups}
    return Splits(**found, class_names=CLASSES, made_up=made_up(Path(folder)), notes=parts.notes)


def _made_up() -> Splits:
    random = np.random.default_rng(0)
    classes = np.tile(np.arange(2), _PICTURES // 2)
    pictures = np.stack([_picture(person=bool(number), random=random) for number in classes])
    train, test = slice(0, 180), slice(180, None)
    return Splits(
        pictures[train],
        classes[train],
        pictures[test],
        classes[test],
        class_names=CLASSES,
        made_up="figures of a head above a body, and boxes",
    )


def _picture(*, person: bool, random: np.random.Generator) -> npt.NDArray[np.float32]:
    """Boxes on a background, and for a person a disk above a box of another colour."""
    picture = np.full((_SIDE, _SIDE, 3), random.uniform(0.2, 0.8, 3))
    for _ in range(4):
        _box(picture, *random.integers(0, 70, 2), *random.integers(8, 26, 2), random.uniform(0, 1, 3))
    if person:
        top, left, size = (
            int(value) for value in (random.integers(8, 30), random.integers(20, 60), random.integers(8, 14))
        )
        y, x = np.mgrid[:_SIDE, :_SIDE]
        skin = np.array([0.85, 0.65, 0.5]) * random.uniform(0.5, 1.1)
        _box(picture, top + size, left - size, 3 * size, 2 * size, random.uniform(0, 1, 3))
        picture[(y - top) ** 2 + (x - left) ** 2 < size**2] = skin
    return np.clip(picture + random.normal(0, 0.05, picture.shape), 0, 1).astype(np.float32)


def _box(
    picture: npt.NDArray[np.float64], top: int, left: int, height: int, width: int, colour: npt.NDArray[np.float64]
) -> None:
    picture[top : top + height, max(left, 0) : left + width] = colour
