"""What each channel of a network is worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinyedge.train.channels import Channels
from tinyedge.train.fit import Training
from tinyedge.train.heads import Head
from tinyedge.train.layers import kind_of
from tinyedge.train.matching import Matched, one_or_all

Array = npt.NDArray[Any]
Kind = Literal["l1", "gamma", "taylor"]

_SAMPLES = 512
"""training samples whose loss tells what a channel changes"""
_BATCH = 64


def channel_scores(channels: Channels, kind: Kind, training: Training) -> dict[int, float]:
    """The score of each channel, by its label, over all layers that make it or hand it on; of a layer they add up to
    the number of its channels, so that layers can be compared.

    `gamma` takes weights, as `l1` does, where a channel meets no batch normalization.
    """
    if kind == "taylor":
        return _sums(channels, _taylor(channels, training))
    by_layer = {
        layer.name: _magnitudes(layer)
        for layer in channels.model.layers
        if layer.name in channels.made and layer.get_weights()
    }
    if kind == "gamma":
        gammas = {
            layer.name: np.abs(layer.gamma.numpy())
            for layer in channels.model.layers
            if kind_of(layer) == "BatchNormalization" and layer.scale
        }
        reached = {label for name in gammas for label in channels.roots(channels.read[name]).tolist()}
        rest = {
            name: scores
            for name, scores in by_layer.items()
            if not reached & set(channels.roots(channels.made[name]).tolist())
        }
        return _sums(channels, {**rest, **gammas})
    return _sums(channels, by_layer)


def _sums(channels: Channels, by_layer: dict[str, Array]) -> dict[int, float]:
    totals: dict[int, float] = {}
    for name, scores in by_layer.items():
        mean = float(np.mean(scores)) or 1.0
        labels = channels.made.get(name, channels.read.get(name))
        if labels is None or len(labels) != len(scores):
            continue
        for label, score in zip(channels.roots(labels).tolist(), scores.tolist(), strict=True):
            totals[label] = totals.get(label, 0.0) + score / mean
    return totals


def _magnitudes(layer: Any) -> Array:
    """Mean magnitude of the weights of each output channel."""
    kernel = np.abs(layer.get_weights()[1 if kind_of(layer) == "SeparableConv2D" else 0])
    magnitudes: Array = kernel.reshape(-1, kernel.shape[-1]).mean(axis=0)
    return magnitudes


def _taylor(channels: Channels, training: Training) -> dict[str, Array]:
    """Of each layer that makes channels: the squared change of the loss, to first order, without each of them.

    Summed over the weights that make a channel, batch by batch.
    """
    model = channels.model
    layers = [layer for layer in model.layers if layer.name in channels.made and layer.trainable_weights]
    variables = [variable for layer in layers for variable in layer.trainable_weights]
    scores = {layer.name: np.zeros(len(channels.made[layer.name])) for layer in layers}
    for batch in _gradients(model, training.data, variables):
        gradients = iter(batch)
        for layer in layers:
            change = 0.0
            for variable in layer.trainable_weights:
                product = (variable * next(gradients)).numpy()
                if product.shape[-1] == len(scores[layer.name]):
                    change = change + product.reshape(-1, product.shape[-1]).sum(axis=0)
            scores[layer.name] += np.square(change)
    return scores


def loss_gradients(model: Any, data: Matched) -> list[Array]:
    """Of the loss over some of the training samples, by each trainable parameter."""
    batches = [[np.asarray(each) for each in batch] for batch in _gradients(model, data, model.trainable_weights)]
    return [np.mean(each, axis=0) for each in zip(*batches, strict=True)]


def _gradients(model: Any, data: Matched, variables: Sequence[Any]) -> Iterator[list[Any]]:
    """Those of one batch after the other."""
    import tensorflow as tf

    chosen = np.linspace(0, len(data.train_inputs[0]) - 1, min(len(data.train_inputs[0]), _SAMPLES)).astype(int)
    losses = [_loss_of(head) for head in data.heads]
    targets = data.train_inputs if data.reconstructs else data.train_targets
    for start in range(0, len(chosen), _BATCH):
        batch = chosen[start : start + _BATCH]
        with tf.GradientTape() as tape:
            answers = tf.nest.flatten(model(one_or_all([array[batch] for array in data.train_inputs]), training=False))
            loss = sum(
                tf.reduce_mean(each(head.fitted(target[batch]), answer))
                for each, head, target, answer in zip(losses, data.heads, targets, answers, strict=False)
            )
        yield tape.gradient(loss, variables)


def _loss_of(head: Head) -> Any:
    """A function of targets and answers."""
    from tf_keras import losses

    return losses.SparseCategoricalCrossentropy(from_logits=True) if head.logits else losses.get(head.loss)
