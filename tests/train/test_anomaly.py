"""Scores of an anomaly detector: the area under the curve, the threshold, the distance without a network."""

from __future__ import annotations

import numpy as np
import pytest

from tinyedge.train.anomaly import auc, choose_threshold, mahalanobis_distances, reconstruction_errors


def test_the_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    random = np.random.default_rng(0)
    scores, states = random.integers(0, 8, 60).astype(float), random.integers(0, 2, 60)
    pairs = [(a, b) for a in scores[states == 1] for b in scores[states == 0]]
    wanted = np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs])
    assert auc(scores, states) == pytest.approx(wanted)


def test_an_auc_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="normal samples and others"):
        auc(np.arange(3.0), np.zeros(3))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("count", [3, 40, 401])
def test_no_more_than_the_share_of_normal_scores_is_above_the_threshold(share: float, count: int) -> None:
    normal = np.random.default_rng(count).normal(0, 1, count)
    threshold = choose_threshold(normal, share)
    assert (normal > threshold).sum() <= share * count
    assert (normal >= threshold).sum() > share * count  # the smallest that keeps it


def test_errors_are_of_each_sample() -> None:
    inputs, outputs = np.zeros((2, 2, 2), np.float32), np.array([[1, 1, 1, 1], [0, 2, 0, 0]], np.float32)
    assert reconstruction_errors(inputs, outputs).tolist() == [1.0, 1.0]


def test_the_distance_sees_what_breaks_a_correlation() -> None:
    random = np.random.default_rng(0)
    base = random.normal(0, 1, (500, 1))
    normal = np.concatenate([base, base + random.normal(0, 0.1, (500, 1)), np.full((500, 1), 3.0)], axis=1)
    near, against = np.array([[2.0, 2.0, 3.0]]), np.array([[1.0, -1.0, 3.0]])
    assert mahalanobis_distances(normal, against)[0] > 5 * mahalanobis_distances(normal, near)[0]
