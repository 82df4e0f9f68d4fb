"""scikit-learn's handwritten digits: 1,797 grey images of 8x8 pixels, 10 classes.

Source: https://archive.ics.uci.edu/dataset/80 (the test set of Alpaydin and Kaynak, 1998), as load_digits ships it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.train.splits import Splits

_NEIGHBOURS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


def load(split_seed: int, shifted_copies: bool) -> Splits:
    """Pixels in [0, 1], a quarter of the images (450) for the test.

    split_seed      fixes which images are for the test, whatever the seed of the training
    shifted_copies  adds each training image moved by one pixel in the four directions
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, classes = load_digits(return_X_y=True)
    images = (pixels / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    train_x, test_x, train_y, test_y = train_test_split(images, classes, test_size=0.25, random_state=split_seed)
    if shifted_copies:
        train_x, train_y = np.concatenate([_moved(train_x, *by) for by in _NEIGHBOURS]), np.tile(train_y, 5)
    return Splits(train_x, train_y.astype(np.int64), test_x, test_y.astype(np.int64))


def _moved(images: npt.NDArray[Any], down: int, right: int) -> npt.NDArray[Any]:
    """Images [N, 8, 8, 1] moved by at most one pixel; what comes in from outside is 0."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return padded[:, 1 - down : 9 - down, 1 - right : 9 - right]
