"""The batches of a training: in another order in each epoch, changed by augmentation, the same whenever it is repeated.

What an epoch sees follows from the seed, the stage and the number of the epoch alone, so that a training can go on in
the middle.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError
from tinyedge.train.augment.contract import Augmentation
from tinyedge.train.matching import Matched

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Augment:
    """A technique, and the input of the model that it changes."""

    technique: Augmentation
    input: str = ""
    """name of the input; empty: the first"""


def check_augmentation(augment: Sequence[Augment], data: Matched) -> None:
    """Raises: ModelError for a technique that does not fit the samples, or would move them away from their targets."""
    for number, each in enumerate(augment, 1):
        technique, where = each.technique, f"[[augment]] {number}, `{each.technique.name}`"
        if technique.moves and any(head.places for head in data.heads):
            raise ModelError(
                f"{where}, moves samples, and their targets, which have places, would stay",
                hint="leave it out, and give moved samples with their targets in data.py",
            )
        sample = _stage_inputs(data, technique)[_index(each, data, where)]
        if sample.dtype != np.float32:
            raise ModelError(f"{where}, changes real numbers; the input holds {sample.dtype}", hint="leave it out")
        try:
            technique.check(sample.shape[1:])
        except ValueError as error:
            raise ModelError(f"{where}, does not fit the data: {error}", hint="change it in recipe.toml") from error


def _stage_inputs(data: Matched, technique: Augmentation) -> tuple[Array, ...]:
    if technique.stage == "signal" and data.signals is not None:
        return (data.signals,)
    return data.train_inputs


def _index(augment: Augment, data: Matched, where: str) -> int:
    if not augment.input:
        return 0
    if augment.input not in data.input_names:
        names = ", ".join(f"`{name}`" for name in data.input_names)
        raise ModelError(f"{where}, names the input `{augment.input}`; the model has {names}")
    return data.input_names.index(augment.input)


@dataclass(frozen=True, eq=False)
class Batches:
    """What one stage of a training is fed."""

    data: Matched
    stage: str
    batch_size: int
    seed: int
    augment: tuple[Augment, ...]
    targets: tuple[Array, ...]
    """one for each head, as its loss takes it"""
    weights: Array | None
    """[N], of each sample; None: all alike"""

    @property
    def count(self) -> int:
        return len(self.data.train_inputs[0])

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return math.ceil(self.count / self.batch_size)

    def dataset(self, first: int, epochs: int) -> Any:
        """A tf.data.Dataset of the batches of the epochs from `first` on to before `epochs`."""
        import tensorflow as tf

        structure = self._epoch(np.arange(min(self.count, 1)), 0)
        signature = tf.nest.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), structure)
        orders = self._orders(epochs)

        def each() -> Iterator[Any]:
            for epoch, order in enumerate(orders):
                if epoch >= first:
                    yield self._epoch(order, epoch)

        def cut(*epoch: Any) -> Any:
            starts = tf.data.Dataset.range(0, self.count, self.batch_size)
            return starts.map(lambda at: tf.nest.map_structure(lambda part: part[at : at + self.batch_size], epoch))

        return tf.data.Dataset.from_generator(each, output_signature=signature).flat_map(cut).prefetch(2)

    def _orders(self, epochs: int) -> Iterator[Array]:
        """A permutation for each epoch, those that Keras' own shuffling makes of the seed."""
        import tensorflow as tf

        def permutation(_: Any) -> Any:
            return tf.random.shuffle(tf.range(self.count, dtype=tf.int64))

        return iter(tf.data.Dataset.range(1).repeat(epochs).map(permutation).as_numpy_iterator())

    def _epoch(self, order: Array, epoch: int) -> tuple[Any, ...]:
        """(inputs, targets) or (inputs, targets, weights) of the samples `order`, augmented."""
        random = np.random.default_rng([self.seed, zlib.crc32(self.stage.encode()), epoch])
        inputs = list(self._inputs(order, random))
        for each in self.augment:
            if each.technique.stage == "features" or self.data.signals is None:
                index = self.data.input_names.index(each.input) if each.input else 0
                inputs[index] = each.technique.apply(inputs[index], random).astype(np.float32, copy=False)
        if self.data.reconstructs:
            targets = [inputs[0].reshape(len(order), *self.data.heads[0].shape)]
        else:
            targets = [array[order] for array in self.targets]
        parts: list[Any] = [_one_or_tuple(inputs), _one_or_tuple(targets)]
        if self.weights is not None:
            parts.append(_one_or_tuple([self.weights[order]] * len(targets)))
        return tuple(parts)

    def _inputs(self, order: Array, random: np.random.Generator) -> tuple[Array, ...]:
        """The model's inputs: of changed signals, where there are any, else as they are."""
        of_signal = [each.technique for each in self.augment if each.technique.stage == "signal"]
        if self.data.signals is None or not of_signal or self.data.features is None:
            return tuple(array[order] for array in self.data.train_inputs)
        signals = self.data.signals[order]
        for technique in of_signal:
            signals = technique.apply(signals, random).astype(np.float32, copy=False)
        return (self.data.features(signals),)


def _one_or_tuple(arrays: Sequence[Array]) -> Any:
    return arrays[0] if len(arrays) == 1 else tuple(arrays)


def balanced_weights(classes: Array) -> Array:
    """The weight of each sample by which all classes count alike, and the mean is 1.

    >>> balanced_weights(np.array([0, 0, 1, 1, 1, 1])).tolist()
    [1.5, 1.5, 0.75, 0.75, 0.75, 0.75]
    """
    _, inverse, counts = np.unique(classes, return_inverse=True, return_counts=True)
    each = len(classes) / (len(counts) * counts)
    return each[inverse].astype(np.float32)
