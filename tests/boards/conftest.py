"""A small model for boards, in one folder, so that what the oracle says of it is computed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.models import small_convolution
from kits.once import made_once


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """int8 convolution and fully connected layer; its folder is where builds go."""

    def make(folder: Path) -> None:
        (folder / "small.tflite").write_bytes(small_convolution())

    return made_once(tmp_path_factory, "boards", make) / "small.tflite"
