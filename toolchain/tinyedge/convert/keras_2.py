"""A model of Keras 2: .h5 or .keras."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyedge.convert import keras_export
from tinyedge.convert.contract import Brought, Settings
from tinyedge.data import Arrays


class Keras2:
    title = "Keras 2"
    packages: Sequence[tuple[str, str]] = keras_export.PACKAGES
    can_rebuild = True

    def recognizes(self, path: Path, head: bytes) -> bool:
        return keras_export.keras_version(path, head) == 2

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        import tf_keras

        return keras_export.bring(keras_export.load(tf_keras, path), data, lambda model, _samples: model)

    def surroundings(self, path: Path, settings: Settings) -> str:
        return ""

    def outside(self, path: Path, settings: Settings, folder: Path) -> None:
        return None


FRONT = Keras2()
