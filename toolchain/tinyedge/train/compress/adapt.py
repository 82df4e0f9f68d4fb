"""Adaptation: a trained network learns other data, by few of its parameters, and stays as small as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from tinyedge.errors import UsageError
from tinyedge.tables import require_range
from tinyedge.train.adapters import adapted, merged
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.importance import loss_gradients
from tinyedge.train.fit import Training
from tinyedge.train.heads import Kind
from tinyedge.train.matching import Matched, match_data
from tinyedge.train.rewrite import flatten_model, fold_norms

Array = npt.NDArray[Any]
_TASKS: dict[Kind, str] = {"values": "regression", "anomaly": "anomaly"}
"""of other outputs: classification"""


@dataclass(frozen=True)
class Adapt(Technique):
    """The network is trained on other data by adapters of low rank, by its biases, by its last layer, or whole.

    Adapters become part of the weights before the conversion: they cost nothing on a board. Batch normalization is
    folded into the weights before. What the test data of the recipe then says is how much of the old task is left.
    Source: Hu et al., "LoRA" (2021); Huang et al., "LoRA-PAR" (2025), for training the more important part alone
    """

    name: ClassVar[str] = "adapt"
    changes: ClassVar[Changes] = "structure"

    data: str
    """a Python file of the recipe with a `load` of its own, which returns Splits of the new data"""
    epochs: int
    """times that the training sees every new sample"""
    trains: Literal["adapters", "biases", "last", "all"] = "adapters"
    """which parameters: adapters with the biases, the biases, the last layer, or all"""
    rank: int = 2
    """of adapters"""
    share: float = 1.0
    """of the parameters of adapters that are trained: the most important, by what the loss would change without them
    after a first epoch of all of them"""
    learning_rate: float = 0.01
    """the largest of this training"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("rank", self.rank, 1, 64)
        require_range("share", self.share, 0.01, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)
        if self.share < 1 and self.trains != "adapters":
            raise ValueError(f"`share` is of adapters; `trains` is `{self.trains}`")

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        if not Path(self.data).is_file():
            raise UsageError(
                f"the recipe's folder holds no `{self.data}`, which `adapt` names as `data`",
                hint="a file with a function `load`, as data.py",
            )
        model = fold_norms(model)
        if self.trains == "adapters" and not adapted(model, self.rank)[1]:
            raise UsageError(
                f"no kernel of the model is larger than the `rank` of `adapt`, {self.rank}, in both directions",
                hint='a smaller `rank`, or `trains = "all"`',
            )
        return model, ()

    def apply(self, model: Any, training: Training) -> Any:
        old = training.data
        new = self._matched(model, old)
        model = fold_norms(flatten_model(model))
        before = [_score(model, data, training) for data in (old, new)]
        parameters = int(model.count_params())
        taught, chosen = self._chosen(model)
        moving = replace(training, data=new)
        kept = _Kept(taught, chosen)
        if self.share < 1:
            moving.fit(
                taught, f"{self.name} all", epochs=1, learning_rate=self.learning_rate, callbacks=[kept.callback()]
            )
            kept.narrow(loss_gradients(taught, new), self.share)
        moving.fit(taught, self.name, epochs=self.epochs, learning_rate=self.learning_rate, callbacks=[kept.callback()])
        if self.trains == "adapters":
            taught = merged(model, taught)
        after = [_score(taught, data, training) for data in (old, new)]
        trained = kept.count()
        training.figures.update(
            {
                "adapt_trained_share": trained / parameters,
                "adapt_old_before": before[0],
                "adapt_new_before": before[1],
                "adapt_old": after[0],
                "adapt_new": after[1],
            }
        )
        training.notes.append(
            f"`adapt` trains {trained:,} parameters, {trained / parameters:.3f} of the model's {parameters:,} "
            f"({self.trains}): new data {before[1]:.4f} -> {after[1]:.4f}, old data {before[0]:.4f} -> {after[0]:.4f}"
        )
        return taught

    def _matched(self, model: Any, old: Matched) -> Matched:
        from tinyedge.train.author import load_from

        return match_data(model, load_from(Path(self.data).resolve()), [_task(head.kind) for head in old.heads])

    def _chosen(self, model: Any) -> tuple[Any, set[str]]:
        """(the model that is trained, names of the variables that are)."""
        if self.trains == "adapters":
            taught, _ = adapted(model, self.rank)
            return taught, {each.name for each in taught.trainable_weights if each.name.rpartition("/")[2] in _MOVING}
        if self.trains == "biases":
            return model, {each.name for each in model.trainable_weights if each.name.endswith("bias:0")}
        if self.trains == "last":
            last = [layer for layer in model.layers if layer.trainable_weights][-1]
            return model, {each.name for each in last.trainable_weights}
        return model, {each.name for each in model.trainable_weights}


_MOVING = ("down:0", "up:0", "bias:0")


class _Kept:
    """Keeps all parameters of a model as they are but some, whatever the steps of a training do."""

    def __init__(self, model: Any, moving: set[str]) -> None:
        self._model = model
        self._start = {each.name: each.numpy() for each in model.trainable_weights}
        self._moving = {name: np.full(value.shape, name in moving) for name, value in self._start.items()}

    def callback(self) -> Any:
        """For `Training.fit`."""
        import tf_keras

        return tf_keras.callbacks.LambdaCallback(on_train_batch_end=self._restore)

    def count(self) -> int:
        """Parameters that move."""
        return sum(int(mask.sum()) for mask in self._moving.values())

    def narrow(self, gradients: Sequence[Array], share: float) -> None:
        """Let only the most important of those that move go on, by the size of weight times gradient; the others are
        as they were."""
        worth = {
            each.name: np.abs(each.numpy() * gradient)
            for each, gradient in zip(self._model.trainable_weights, gradients, strict=True)
        }
        known = np.concatenate([worth[name][mask] for name, mask in self._moving.items()])
        bound = np.sort(known)[-max(1, round(share * len(known)))]
        self._moving = {name: mask & (worth[name] >= bound) for name, mask in self._moving.items()}
        self._restore(0, None)

    def _restore(self, _batch: int, _logs: Any) -> None:
        for each in self._model.trainable_weights:
            mask = self._moving[each.name]
            if not mask.all():
                each.assign(np.where(mask, each.numpy(), self._start[each.name]))


def _score(model: Any, data: Matched, training: Training) -> float:
    """What the model answers to the test samples of some data."""
    answers = training.predict(model, data.test_inputs)
    return data.score(answers, data.test_inputs)[data.heads[0].metric]


def _task(kind: Kind) -> str:
    return _TASKS.get(kind, "classification")


TECHNIQUE = Adapt
