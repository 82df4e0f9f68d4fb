"""What CIFAR's two versions share: planes of red, green and blue of 32x32, in batches of which one is for the test."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tinyedge.data.contract import Recordings
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

PIXELS = 3 * 32 * 32
"""bytes of an image"""


def recordings_of(batches: Iterable[tuple[Path, Array, Array]], class_names: tuple[str, ...], path: Path) -> Recordings:
    """The images of all batches: (file, bytes [N, PIXELS], labels [N]) each; files called test... are for the test.

    Raises: UsageError for a label without a name
    """
    images, labels, sources, parts = [], [], [], []
    for file, values, classes in batches:
        images.append(_pixels(values))
        labels.append(classes)
        sources += [f"{file.name}[{row}]" for row in range(len(classes))]
        parts += ["test" if file.name.startswith("test") else "train"] * len(classes)
    every = np.concatenate(labels)
    if class_names and int(every.max()) >= len(class_names):
        raise UsageError(
            f"`{sources[int(every.argmax())]}` of `{path}` has the label {int(every.max())}, and {len(class_names)} "
            "classes are named",
            hint="copy the file with the names of the classes again, or leave it out",
        )
    return Recordings(
        inputs={"image": np.concatenate(images)},
        sources=sources,
        labels=every,
        class_names=class_names,
        parts=parts,
        axes=("red", "green", "blue"),
    )


def _pixels(values: Array) -> Array:
    """Planes of bytes as float32 [N, 32, 32, 3] in [0, 1]."""
    planes = values.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)
