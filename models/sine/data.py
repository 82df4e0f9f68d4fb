"""The sine: angles over one turn and their sines. No noise, no download."""

from __future__ import annotations

import numpy as np

from tinyedge.train.splits import Splits


def load(points: int, test_points: int) -> Splits:
    """`points` angles spread evenly over [0, 2 pi] for training, `test_points` that lie elsewhere for the test."""
    train_x = np.linspace(0, 2 * np.pi, points, dtype=np.float32).reshape(-1, 1)
    test_x = np.random.default_rng(0).uniform(0, 2 * np.pi, (test_points, 1)).astype(np.float32)
    return Splits(train_x, np.sin(train_x), test_x, np.sin(test_x))
