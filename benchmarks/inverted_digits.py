"""Handwritten digits as another camera would see them: dark and bright exchanged, a pixel further to the right; few."""

from __future__ import annotations

import numpy as np

from tinyedge.train.splits import Splits

SAMPLES = 300
"""that a network is adapted to"""


def load() -> Splits:
    """300 images to learn from, the others to judge by: float32 [N, 8, 8, 1] in [0, 1]."""
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    pictures = 1 - np.roll(images.reshape(-1, 8, 8, 1) / 16, 1, axis=2).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(pictures))
    learnt, judged = order[:SAMPLES], order[SAMPLES:]
    return Splits(pictures[learnt], classes[learnt], pictures[judged], classes[judged])
