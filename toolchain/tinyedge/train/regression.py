"""Logistic regression on features of a network: a head for them in seconds, without a step of back-propagation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ROUNDS = 200
_NEVER = -30.0
"""logit of a class that no sample is of"""


def fit_head(features: Array, classes: Array, count: int, strength: float = 1.0) -> tuple[Array, Array]:
    """(kernel float32 [features, count], bias [count]) of a softmax over `count` classes.

    strength  inverse of the penalty on the squares of weights, which are of features of unit variance
    Shape:    features [N, features], classes [N]
    """
    from sklearn.linear_model import LogisticRegression

    scaled, mean, spread = _scaled(features)
    found = LogisticRegression(C=strength, max_iter=_ROUNDS).fit(scaled, classes)
    return _head(found, mean, spread, count)


def sparse_weights(features: Array, classes: Array, strength: float) -> Array:
    """How much each feature counts, [features]: the sums over all classes of the magnitudes of a linear machine's
    weights, most of them 0 by a penalty on magnitudes.

    strength  inverse of that penalty
    """
    from sklearn.svm import LinearSVC

    scaled, _, _ = _scaled(features)
    probe = LinearSVC(penalty="l1", dual=False, C=strength, max_iter=_ROUNDS, random_state=0).fit(scaled, classes)
    weights: Array = np.abs(probe.coef_).sum(axis=0)
    return weights


def _scaled(features: Array) -> tuple[Array, Array, Array]:
    """(features of zero mean and unit variance, mean, deviation)."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return (features - mean) / spread, mean, spread


def _head(found: Any, mean: Array, spread: Array, count: int) -> tuple[Array, Array]:
    rows, biases = found.coef_, found.intercept_
    if len(found.classes_) == 2 and len(rows) == 1:  # one row separates two classes
        rows, biases = np.concatenate([-rows, rows]) / 2, np.concatenate([-biases, biases]) / 2
    kernel, bias = np.zeros((len(mean), count)), np.full(count, _NEVER)
    kernel[:, found.classes_] = (rows / spread).T
    bias[found.classes_] = biases - (rows / spread) @ mean
    return kernel.astype(np.float32), bias.astype(np.float32)
