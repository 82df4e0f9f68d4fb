"""A model of Keras 3: .keras, or .h5 in the older format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyedge.convert import keras_export
from tinyedge.convert.contract import Brought, Settings
from tinyedge.convert.rebuild import rebuild
from tinyedge.data import Arrays


class Keras3:
    title = "Keras 3"
    packages: Sequence[tuple[str, str]] = (*keras_export.PACKAGES, ("keras", "train"))
    can_rebuild = True

    def recognizes(self, path: Path, head: bytes) -> bool:
        return keras_export.keras_version(path, head) == 3

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        keras_export.prepare_tensorflow()
        import keras

        return keras_export.bring(keras_export.load(keras, path), data, rebuild)

    def surroundings(self, path: Path, settings: Settings) -> str:
        return ""

    def outside(self, path: Path, settings: Settings, folder: Path) -> None:
        return None


FRONT = Keras3()
