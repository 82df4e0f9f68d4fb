"""Fashion-MNIST: 60,000 pictures to learn from, 10,000 for the test, or any other folder of idx files like it.

Source: https://github.com/zalandoresearch/fashion-mnist (Xiao, Rasul and Vollgraf, 2017), MIT licence
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyedge.data import DataTable, load_recordings
from tinyedge.errors import UsageError
from tinyedge.train.source import made_up
from tinyedge.train.splits import Splits

_NAMES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_HINT = "`apt-get install dataset-fashion-mnist` puts it into /usr/share/datasets; `--data DIR` names another folder"


def load(folder: str, validation_images: int) -> Splits:
    """Pixels in [0, 1]; the last `validation_images` of the training files are for the validation.

    folder  of idx files, packed by gzip or not, as MNIST and those like it have
    """
    if not Path(folder).is_dir():
        raise UsageError(f"there is no folder `{folder}` with the pictures", hint=_HINT)
    found = load_recordings(DataTable(source=Path(folder)))
    (pictures,) = found.inputs.values()
    images, classes, parts = np.asarray(pictures), np.asarray(found.labels), np.array(found.parts)
    images = images.reshape(*images.shape[:3], 1)
    known, asked = (np.flatnonzero(parts == part) for part in ("train", "test"))
    learnt, chosen = known[: len(known) - validation_images], known[len(known) - validation_images :]
    names = _NAMES if classes.max() < len(_NAMES) and "fashion" in str(folder) else ()
    return Splits(
        images[learnt],
        classes[learnt],
        images[asked],
        classes[asked],
        images[chosen],
        classes[chosen],
        class_names=names,
        made_up=made_up(Path(folder)),
    )
