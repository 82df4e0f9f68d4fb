"""Grafting: the first part of a trained network with a new head that reads several of its layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError, UsageError
from tinyedge.tables import require_range
from tinyedge.train.channels import find_channels
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.distill import Distill
from tinyedge.train.fit import Training
from tinyedge.train.held_out import held_out, score_of, spread_over
from tinyedge.train.layers import activation_name
from tinyedge.train.matching import Matched
from tinyedge.train.regression import fit_head, sparse_weights
from tinyedge.train.rewrite import Changes as Rebuilt
from tinyedge.train.rewrite import flatten_model, fresh_like, rebuild
from tinyedge.train.side_heads import Place, places_of, pooled

Array = npt.NDArray[Any]

_HEAD = "graft_head"
_LEARNT = 5_000
"""samples at most that the new head starts from"""
_SPARSE = 0.01
"""strength of the probe that finds which layers count"""


@dataclass(frozen=True)
class Graft(Technique):
    """The network is cut, a new head reads means over all places of its most useful layers, and all is trained on.

    The useful layers are found by a sparse linear probe. Two controls are trained for as many epochs: the same cut
    without taps, and a new network of the same shape that is distilled from the whole one. The best on validation data,
    or else a tenth of the training data, is kept.
    Source: the reconstruction of "Knowledge grafting" (arXiv 2507.19261) from its parameter counts
    """

    name: ClassVar[str] = "graft"
    changes: ClassVar[Changes] = "structure"

    epochs: int
    """times that each of the three trainings sees every sample"""
    macs: float = 0.65
    """share of the multiplications at most that the part in front of the cut has"""
    cut: str = ""
    """the layer behind which the network is cut; left out: the last one within `macs`"""
    taps: int = 3
    """layers at most that the new head reads, that of the cut among them"""
    learning_rate: float = 0.002
    """the largest of each training"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("macs", self.macs, 0.01, 0.999)
        require_range("taps", self.taps, 1, 64)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        model = flatten_model(model)
        if len(model.outputs) != 1 or activation_name(model.outputs[0]._keras_history.layer) != "softmax":
            raise ModelError(
                "`graft` needs a network with one output that ends in a softmax",
                hint="leave out the technique `graft` in recipe.toml",
            )
        places = self._places(model)
        return _headed(model, places[-self.taps :]), ()

    def apply(self, model: Any, training: Training) -> Any:
        if training.data.heads[0].kind != "classes" or training.data.heads[0].places:
            raise ModelError("`graft` needs one class for each sample", hint="leave it out of recipe.toml")
        model = flatten_model(model)
        teaching, judged = held_out(training)
        few = spread_over(teaching.data, _LEARNT)
        places = self._places(model)
        tapped = self._tapped(model, places, few, training)
        grafted = _started(_copy(_headed(model, tapped)), few, training)
        cut = _started(_copy(_headed(model, places[-1:])), few, training)
        distilled = fresh_like(cut)
        for stage, each in ((self.name, grafted), (f"{self.name} cut alone", cut)):
            teaching.fit(each, stage, epochs=self.epochs, learning_rate=self.learning_rate)
        teacher = Distill(epochs=self.epochs, learning_rate=self.learning_rate)
        taught, lesson = teacher.lesson(distilled, model, teaching)
        teaching.fit(
            taught, f"{self.name} distilled", epochs=self.epochs, learning_rate=self.learning_rate, lesson=lesson
        )
        candidates = {"grafted": grafted, "cut without taps": cut, "distilled into the same size": distilled}
        scores = {name: score_of(each, judged) for name, each in candidates.items()}
        best = max(scores, key=lambda name: scores[name])
        whole, left = (find_channels(each).macs(set()) for each in (model, candidates[best]))
        training.figures.update({f"graft_{name.split()[0]}": score for name, score in scores.items()})
        training.figures["graft_donor"] = score_of(model, judged)
        told = ", ".join(f"{name} {score:.4f}" for name, score in scores.items())
        training.notes.append(
            f"`graft` cuts behind `{places[-1].name}` and taps {', '.join(f'`{place.name}`' for place in tapped)}: "
            f"{told}, the whole network {training.figures['graft_donor']:.4f} on {len(judged.train_inputs[0]):,} "
            f"samples; keeps the one {best}, with {left / whole:.3f} of the multiplications"
        )
        return candidates[best]

    def _places(self, model: Any) -> list[Place]:
        """The ends of blocks up to the cut. Raises: UsageError"""
        places = places_of(model)
        if self.cut:
            names = [place.name for place in places]
            if self.cut not in names:
                known = ", ".join(f"`{name}`" for name in names) or "none"
                raise UsageError(f"`cut` of `graft` names no end of a block: `{self.cut}`", hint=f"one of {known}")
            return places[: names.index(self.cut) + 1]
        within = [place for place in places if place.share <= self.macs]
        if not within:
            least = min((place.share for place in places), default=1.0)
            raise UsageError(
                f"`macs` of `graft` is {self.macs:g}; the first block alone takes {least:.3f} of the multiplications",
                hint="a larger `macs`, or `prune_channels`",
            )
        return within

    def _tapped(self, model: Any, places: list[Place], few: Matched, training: Training) -> list[Place]:
        """The layers whose features a sparse probe uses most, in their order; the last one is always among them."""
        from tf_keras import Model

        probe = Model(model.inputs, [_mean(place, "probe") for place in places])
        features = training.predict(probe, few.train_inputs)
        weights = sparse_weights(np.concatenate(features, axis=1), few.train_targets[0].reshape(-1), _SPARSE)
        ends = np.cumsum([each.shape[1] for each in features])
        worth = [float(part.sum()) for part in np.split(weights, ends[:-1])]
        training.notes.append(
            "`graft`: weights of the probe by layer: "
            + ", ".join(f"`{place.name}` {value:.2f}" for place, value in zip(places, worth, strict=True))
        )
        order = sorted(range(len(places) - 1), key=lambda at: -worth[at])
        chosen = sorted(at for at in order[: self.taps - 1] if worth[at] > 0)
        return [places[at] for at in (*chosen, len(places) - 1)]


def _mean(place: Place, name: str) -> Any:
    return pooled(place.layer.output, 1, f"{name}_{place.name}")


def _headed(model: Any, tapped: list[Place]) -> Any:
    """The network up to the last of some layers, and an untrained head that reads all of them."""
    from tf_keras import Model, layers

    features = [_mean(place, "graft") for place in tapped]
    joined = layers.Concatenate(name="graft_taps")(features) if len(features) > 1 else features[0]
    head = layers.Dense(int(model.outputs[0].shape[-1]), activation="softmax", name=_HEAD)
    return Model(model.inputs, head(joined))


def _copy(model: Any) -> Any:
    """Layers of its own, so that a training leaves the donor as it is."""
    return rebuild(model, Rebuilt())


def _started(model: Any, few: Matched, training: Training) -> Any:
    """The model, whose head begins as a logistic regression."""
    from tf_keras import Model

    head = model.get_layer(_HEAD)
    features = training.predict(Model(model.inputs, head.input), few.train_inputs)[0]
    head.set_weights(fit_head(features, few.train_targets[0].reshape(-1), head.units))
    return model


TECHNIQUE = Graft
