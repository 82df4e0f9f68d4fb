"""How well scores tell the normal from the rest: the area under the curve, a threshold, and what no network does."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

MOST_FEATURES = 1024
"""values of a sample up to which a Mahalanobis distance is worked out: its matrix has their square"""
_RIDGE = 0.02
"""added to the variances of standardized values, so that few samples or equal values can be inverted"""


def auc(scores: Array, states: Array) -> float:
    """The probability that a sample that is not normal has the larger score; equal scores count half.

    Shape:  scores [N]; states [N], 1 for what is not normal
    Raises: ValueError when one of the two kinds is missing

    >>> auc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([0, 0, 1, 1]))
    0.875
    """
    positive = int((states == 1).sum())
    negative = len(states) - positive
    if not positive or not negative:
        raise ValueError("an AUC needs normal samples and others")
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return float((ranks[states == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def choose_threshold(normal: Array, false_alarms: float) -> float:
    """The score above which at most this share of the normal scores lies.

    >>> choose_threshold(np.arange(100.0), 0.05)
    94.0
    """
    ordered = np.sort(normal)
    return float(ordered[len(ordered) - 1 - int(false_alarms * len(ordered))])


def reconstruction_errors(inputs: Array, outputs: Array) -> Array:
    """The mean squared difference of each sample: float64 [N]."""
    difference = inputs.reshape(len(inputs), -1).astype(np.float64) - outputs.reshape(len(outputs), -1)
    errors: Array = np.mean(np.square(difference), axis=1)
    return errors


def mahalanobis_distances(normal: Array, inputs: Array) -> Array:
    """How far each input lies from the normal ones, by their mean and covariance: float64 [N].

    Shape:  normal [M, ...], inputs [N, ...]
    """
    known = normal.reshape(len(normal), -1).astype(np.float64)
    asked = inputs.reshape(len(inputs), -1).astype(np.float64)
    mean, deviation = known.mean(axis=0), known.std(axis=0) + 1e-9
    known, asked = (known - mean) / deviation, (asked - mean) / deviation
    covariance = np.atleast_2d(np.cov(known.T)) + _RIDGE * np.eye(known.shape[1])
    distances: Array = np.einsum("ij,jk,ik->i", asked, np.linalg.inv(covariance), asked)
    return distances
