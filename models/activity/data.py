"""Exercises of the shoulder, recorded by a smart watch, as windows of six axes; the people of the test are in no other
split."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyedge.data.watch import EXERCISES, cut_windows, read_watch
from tinyedge.train.splits import Splits

Floats = npt.NDArray[np.float32]


def load(file: str, test_subjects: list[int], window: int) -> Splits:
    """Windows of `window` samples: one starts every quarter of it for the training, every half of it for the test.

    What the model takes of a window: (axis - mean) / deviation, of the training's windows, for each of the six axes.
    All is as if the watch was worn on one wrist: what comes from the other is mirrored, x of the acceleration and y
    and z of the rotation change their sign.

    file  a wheel of seglearn, or its watch_dataset.npy; empty: the installed package
    """
    recordings = read_watch(file)
    learnt = [each for each in recordings if each.subject not in test_subjects]
    asked = [each for each in recordings if each.subject in test_subjects]
    train, train_classes, train_people, _ = cut_windows(learnt, window, window // 4)
    test, test_classes, test_people, numbers = cut_windows(asked, window, window // 2)
    mean, deviation = train.mean(axis=(0, 1)), train.std(axis=(0, 1))

    def standardize(windows: Floats) -> Floats:
        return ((windows - mean) / deviation)[:, :, None, :].astype(np.float32)

    return Splits(
        train,
        train_classes,
        test,
        test_classes,
        class_names=EXERCISES,
        train_groups=train_people,
        test_groups=test_people,
        test_recordings=numbers,
        features=standardize,
    )
