"""Statistics of windows of a smart watch: one exercise is normal, all others are not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyedge.data.watch import EXERCISES, cut_windows, read_watch
from tinyedge.train.splits import Splits

Floats = npt.NDArray[np.float32]
_LARGEST = 6.0
"""what lies further out, in standard deviations, counts as this far"""


def load(file: str, normal: str, test_subjects: list[int], window: int) -> Splits:
    """Windows of `window` samples: one starts every tenth of it for the training, every half of it elsewhere.

    What the model takes of a window, 18 values: each axis as (axis - mean) / deviation; of each its mean, its standard
    deviation, and the mean of the absolute difference between neighbouring samples; then these again as
    (value - mean) / deviation, held within [-6, 6]. All means and deviations are of the training's windows.

    The threshold is chosen with one more person: the first one behind those of the test, who trains nothing.

    file  a wheel of seglearn, or its watch_dataset.npy; empty: the installed package
    """
    recordings = read_watch(file)
    subjects = sorted({each.subject for each in recordings})
    left = [subject for subject in subjects if subject not in test_subjects]
    chooser = next((subject for subject in left if subject > max(test_subjects)), left[0])
    wanted = EXERCISES.index(normal)
    learnt = [
        each for each in recordings if each.exercise == wanted and each.subject in left and each.subject != chooser
    ]
    train, _, train_people, _ = cut_windows(learnt, window, window // 10)
    axes = train.mean(axis=(0, 1)), train.std(axis=(0, 1))
    scale = _statistics(train, *axes)
    of_statistics = scale.mean(axis=0), scale.std(axis=0)

    def features(windows: Floats) -> Floats:
        values = (_statistics(windows, *axes) - of_statistics[0]) / of_statistics[1]
        return np.clip(values, -_LARGEST, _LARGEST).astype(np.float32)

    others = []
    for people in ([chooser], test_subjects):
        asked = [each for each in recordings if each.subject in people]
        windows, exercises, of_people, _ = cut_windows(asked, window, window // 2)
        others.append((features(windows), (exercises != wanted).astype(np.int64), of_people))
    (validation, validation_states, validation_people), (test, test_states, test_people) = others
    return Splits(
        features(train),
        np.zeros(len(train), np.int64),
        test,
        test_states,
        validation,
        validation_states,
        class_names=("normal", "anomaly"),
        train_groups=train_people,
        validation_groups=validation_people,
        test_groups=test_people,
    )


def _statistics(windows: Floats, mean: Floats, deviation: Floats) -> Floats:
    """Mean, standard deviation and mean absolute difference of each axis: [N, time, 6] -> [N, 18]."""
    axes = (windows - mean) / deviation
    steps = np.abs(np.diff(axes, axis=1))
    return np.concatenate([axes.mean(axis=1), axes.std(axis=1), steps.mean(axis=1)], axis=1)
