"""Early exits: a side head in the middle of a network, and the rest computed for those samples that it is unsure of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError, UsageError
from tinyedge.graph.early_exit import find_early_exit
from tinyedge.graph.reader import read_model
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.evaluate import quantize_inputs, run_int8
from tinyedge.train.exit_file import MOST_CLASSES, side_logits, with_early_exit
from tinyedge.train.fit import Training
from tinyedge.train.heads import Head
from tinyedge.train.held_out import held_out, score_of, spread_over
from tinyedge.train.layers import activation_name
from tinyedge.train.matching import Matched
from tinyedge.train.regression import fit_head
from tinyedge.train.rewrite import flatten_model
from tinyedge.train.side_heads import Place, places_of, pooled

Array = npt.NDArray[Any]

SIDE = "side_head"
"""name of the side head's layer"""
_NEVER = 254
"""steps of a threshold that no lead is above: there are 255 between the smallest and the largest logit"""
_LEARNT, _JUDGED = 20_000, 2_000
"""samples at most that a head is fitted to, and that the threshold is chosen with"""
_SHARES = (0.02, 0.85)
"""of the multiplications, within which a side head is looked for"""
_TRIED = 40
"""thresholds tried in looking for a place"""


@dataclass(frozen=True)
class EarlyExit(Technique):
    """A side head answers where its largest logit leads the second by more than a threshold; the rest is not computed.

    The head is a logistic regression on means over 2x2 regions, fitted with the network as it is. The threshold is one
    of integers, the smallest that loses no more than allowed on validation data, or else a tenth of the training data.
    Source: Teerapittayanon, McDanel and Kung, "BranchyNet" (2016)
    """

    name: ClassVar[str] = "early_exit"
    changes: ClassVar[Changes] = "structure"

    after: str = ""
    """the layer that the side head reads; left out: the one that saves most multiplications, with what may be lost"""
    lost: float = 0.005
    """accuracy that the samples that leave early may cost, on the samples that the threshold is chosen with"""
    parts: int = 2
    """regions along each axis of a picture whose means the head reads"""
    epochs: int = 0
    """times that the whole network is then trained with both answers; 0: the network stays as it is"""
    learning_rate: float = 0.001
    """the largest of that training"""
    cut: bool = False
    """the control: the network simply ends with the side head"""

    def __post_init__(self) -> None:
        require_range("lost", self.lost, 0, 0.5)
        require_range("parts", self.parts, 1, 8)
        require_range("epochs", self.epochs, 0)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        model = flatten_model(model)
        if len(model.outputs) != 1 or activation_name(model.outputs[0]._keras_history.layer) != "softmax":
            raise ModelError(
                "`early_exit` needs a network with one output that ends in a softmax",
                hint="leave out the technique `early_exit` in recipe.toml",
            )
        if (classes := int(model.outputs[0].shape[-1])) > MOST_CLASSES or len(model.outputs[0].shape) != 2:
            raise ModelError(f"`early_exit` takes one class of at most {MOST_CLASSES}; the model has {classes:,}")
        return self._ending(model, self._added(model, self._places(model)[0])), ()

    def apply(self, model: Any, training: Training) -> Any:
        if training.data.heads[0].kind != "classes":
            raise ModelError("`early_exit` needs one class for each sample", hint="leave it out of recipe.toml")
        model = flatten_model(model)
        teaching, judged = held_out(training)
        judged = spread_over(judged, _JUDGED)
        place, head = self._best(model, teaching, judged, training)
        both = self._added(model, place)
        both.get_layer(SIDE).set_weights(head)
        ended = self._ending(model, both)
        if self.epochs:
            joint = replace(training, data=training.data if self.cut else self.taught(training.data))
            joint.fit(ended, self.name, epochs=self.epochs, learning_rate=self.learning_rate)
        alone, whole = score_of(self._alone(model, both), judged), score_of(model, judged)
        where = f"reads `{place.name}`, behind {place.share:.3f} of the multiplications"
        training.notes.append(
            f"`early_exit`: the side head {where}; alone, as if the network were cut there, it is right for "
            f"{alone:.4f} of {_called(judged)}, the whole network for {whole:.4f}"
        )
        return ended

    def taught(self, data: Matched) -> Matched:
        """The side head learns what the first output does."""
        if self.cut:
            return data
        head: Head = replace(data.heads[0], name=SIDE)

        def twice(targets: tuple[Array, ...] | None) -> Any:
            return None if targets is None else (targets[0], targets[0], *targets[1:])

        return replace(
            data,
            heads=(data.heads[0], head, *data.heads[1:]),
            train_targets=twice(data.train_targets),
            test_targets=twice(data.test_targets),
            validation_targets=twice(data.validation_targets),
        )

    def stored(self, tflite: bytes, training: Training) -> bytes:
        if self.cut:
            return tflite
        _, judged = held_out(training)
        judged = spread_over(judged, _JUDGED)
        leads, early, late = int8_answers(tflite, judged)
        right = judged.train_targets[0].reshape(-1)
        threshold = choose_threshold(leads, early == right, late == right, self.lost)
        leaves = leads > threshold
        mixed = float(np.where(leaves, early == right, late == right).mean())
        training.figures.update({"exit_threshold": float(threshold), "exit_rate": float(leaves.mean())})
        training.notes.append(
            f"`early_exit`: the threshold is {threshold} steps: {leaves.mean():.3f} of {_called(judged)} "
            f"leave early, {mixed:.4f} are right; without the exit {(late == right).mean():.4f}"
        )
        return with_early_exit(tflite, threshold)

    def _places(self, model: Any) -> list[Place]:
        """Where the side head may be, the named place alone if there is one. Raises: UsageError"""
        places = places_of(model)
        if not self.after:
            within = [place for place in places if _SHARES[0] <= place.share <= _SHARES[1]]
            if not within:
                raise UsageError(
                    "`early_exit` finds no layer that is worth stopping at: each ends before "
                    f"{_SHARES[0]} or behind {_SHARES[1]} of the multiplications",
                    hint="leave out the technique, or name the layer as `after`",
                )
            return within
        for place in places:
            if place.name == self.after:
                if place.share > _SHARES[1]:
                    raise UsageError(
                        f"`after` of `early_exit` names `{place.name}`, behind which {1 - place.share:.3f} of the "
                        "multiplications are left: stopping there saves nothing",
                        hint=f"a layer that ends before {_SHARES[1]} of them",
                    )
                return [place]
        known = ", ".join(f"`{place.name}`" for place in places) or "none"
        raise UsageError(f"`after` of `early_exit` names no end of a block: `{self.after}`", hint=f"one of {known}")

    def _best(self, model: Any, teaching: Training, judged: Matched, training: Training) -> tuple[Place, list[Array]]:
        """(the place of the fewest multiplications in the mean, the weights of its head)."""
        taught = spread_over(teaching.data, _LEARNT)
        classes, right = taught.train_targets[0].reshape(-1), judged.train_targets[0].reshape(-1)
        late = training.predict(model, judged.train_inputs)[0].argmax(axis=-1) == right
        found = []
        places = self._places(model)
        for number, place in enumerate(places):
            probe = self._features(model, place)
            kernel, bias = fit_head(
                training.predict(probe, taught.train_inputs)[0], classes, int(model.outputs[0].shape[-1])
            )
            logits = training.predict(probe, judged.train_inputs)[0] @ kernel + bias
            leads = lead_of(logits)
            steps = np.quantile(leads, np.linspace(0, 1, _TRIED))
            bound = choose_threshold(leads, logits.argmax(axis=1) == right, late, self.lost, steps)
            left = place.share + (1 - place.share) * float((leads <= bound).mean())
            found.append((left, number, place, [kernel, bias]))
        least, _, place, head = min(found, key=lambda each: each[:2])
        if len(found) > 1:
            others = ", ".join(f"`{each.name}` {left:.3f}" for left, _, each, _ in found)
            training.notes.append(
                f"`early_exit`: mean multiplications by the layer it reads: {others}; takes {least:.3f}"
            )
        return place, head

    def _features(self, model: Any, place: Place) -> Any:
        from tf_keras import Model

        return Model(model.inputs, pooled(place.layer.output, self.parts, SIDE))

    def _added(self, model: Any, place: Place) -> Any:
        """The model with a second output, of an untrained side head."""
        from tf_keras import Model, layers

        features = pooled(place.layer.output, self.parts, SIDE)
        side = layers.Dense(int(model.outputs[0].shape[-1]), activation="softmax", name=SIDE)(features)
        return Model(model.inputs, [*model.outputs, side])

    def _alone(self, model: Any, both: Any) -> Any:
        """The network cut behind the side head."""
        from tf_keras import Model

        return Model(model.inputs, both.get_layer(SIDE).output)

    def _ending(self, model: Any, both: Any) -> Any:
        return self._alone(model, both) if self.cut else both


def _called(judged: Matched) -> str:
    """The samples that judge, in words."""
    kind = "training" if judged.validation_inputs is None else "validation"
    return f"{len(judged.train_inputs[0]):,} {kind} samples"


def lead_of(logits: Array) -> Array:
    """By how much the largest logit of each sample leads the second.

    >>> lead_of(np.array([[1, 5, 3], [2, 2, 0]])).tolist()
    [2, 0]
    """
    ordered = np.sort(logits, axis=-1)
    lead: Array = ordered[:, -1] - ordered[:, -2]
    return lead


def choose_threshold(leads: Array, early: Array, late: Array, lost: float, steps: Array | None = None) -> Any:
    """The smallest threshold from which on no more than `lost` of the accuracy is lost.

    leads        of the side head's logits, for each sample
    early, late  whether its answer is right, and that of the whole network
    steps        thresholds in ascending order; None: those of int8

    >>> choose_threshold(np.array([9, 5, 1]), np.array([1, 1, 0]), np.array([1, 1, 1]), 0.0)
    1
    """
    tried = np.arange(_NEVER + 1) if steps is None else steps
    least = late.mean() - lost
    kept = [float(np.where(leads > each, early, late).mean()) >= least - 1e-9 for each in tried]
    first = len(kept) - 1
    while first > 0 and kept[first - 1]:
        first -= 1
    return tried[first] if steps is not None else int(tried[first])


def int8_answers(tflite: bytes, judged: Matched) -> tuple[Array, Array, Array]:
    """(lead of the side head's logits in steps, its class, the class of the whole network) of each sample.

    tflite  with both outputs
    """
    graph = read_model(side_logits(tflite), "early_exit")
    assert find_early_exit(graph) is None
    late, logits = run_int8(graph, quantize_inputs(judged.train_inputs, graph), lambda _done, _total: None)
    steps = np.round(logits.reshape(len(logits), -1) / graph.output_tensors()[1].scale).astype(np.int64)
    return lead_of(steps), steps.argmax(axis=1), late.reshape(len(late), -1).argmax(axis=1)


TECHNIQUE = EarlyExit
