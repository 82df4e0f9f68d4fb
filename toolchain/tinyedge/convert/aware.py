"""Quantization-aware training of a brought model, by the means that recipes are trained with."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array
from tinyedge.train.compress.quantize_aware import QuantizeAware, calibration_note
from tinyedge.train.convert import convert_model
from tinyedge.train.fit import Progress, Training
from tinyedge.train.heads import Head, canonical_targets
from tinyedge.train.matching import Matched, classifier_kind

_BATCH = 32
_SEED = 1
_STAGE = "quantization-aware training"


def train_aware(
    model: Any, inputs: tuple[Array, ...], labels: Array, *, epochs: int, calibrate: int, progress: Progress
) -> tuple[bytes, tuple[str, ...]]:
    """(the .tflite of a tf_keras model trained on, what a person should know); the model is spent.

    labels     [N, ...] of the first output
    calibrate  how many samples show the ranges of what training leaves open

    Raises: ModelError when labels do not fit, when nothing in the model can be trained so, or the loss is no number
    """
    import tensorflow as tf
    import tf_keras

    tf.config.experimental.enable_op_determinism()
    tf_keras.utils.set_random_seed(_SEED)
    head = _head(model, Training.predict(model, inputs)[0], labels)
    targets, note = canonical_targets(head, labels, "the labels")
    data = Matched(inputs, (targets,), inputs, (targets,), (head,))
    training = Training(data, _BATCH, lambda _stage, done, total: progress(_STAGE, done, total))
    try:
        aware = QuantizeAware(epochs).apply(model, training)
    except ModelError as error:
        if "[[compress]]" in error.hint or "technique" in error.hint:
            error.hint = "without `--qat` the conversion quantizes any model after training"
        raise
    tflite = convert_model(aware, inputs, calibrate)
    return tflite, (*calibration_note(aware), *([note] if note else []))


def _head(model: Any, answers: Array, labels: Array) -> Head:
    """What the first output is trained as: a classifier where labels are whole numbers, of logits too."""
    name, shape = model.output_names[0], tuple(int(extent) for extent in answers.shape[1:])
    if not (labels.dtype.kind in "iub" or np.array_equal(labels, np.rint(labels))):
        return Head(name, "values", shape)
    kind = classifier_kind(model, 0, answers, labels)
    if kind is None and shape[-1:] not in ((), (1,)):
        return Head(name, "classes", shape, logits=True)
    return Head(name, kind or "values", shape)


def parts(total: int) -> tuple[Array, Array]:
    """(samples to train with, samples to compare on): a fifth of `total`, drawn, is kept apart.

    >>> [part.tolist() for part in parts(10)]
    [[0, 1, 2, 3, 5, 6, 7, 9], [4, 8]]
    """
    order = np.random.default_rng(_SEED).permutation(total)
    few = max(total // 5, 1)
    return np.sort(order[few:]), np.sort(order[:few])
