"""Structured pruning: the least important channels leave the graph, which is an ordinary, smaller one then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tinyedge.errors import ModelError, UsageError
from tinyedge.tables import require_range
from tinyedge.train.channels import Channels, find_channels
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.importance import channel_scores
from tinyedge.train.compress.targets import Targets, Whole
from tinyedge.train.fit import Training
from tinyedge.train.layers import kind_of
from tinyedge.train.rewrite import fresh_like

Scores = dict[int, float]
"""of the label of each channel"""


@dataclass(frozen=True)
class PruneChannels(Technique):
    """Whole channels go, with all that computes and reads them; those tied by an addition go together.

    Source: Molchanov et al., "Importance estimation for neural network pruning" (2019), for `taylor`; Liu et al.,
    "Learning efficient convolutional networks through network slimming" (2017), for `gamma`
    """

    name: ClassVar[str] = "prune_channels"
    changes: ClassVar[Changes] = "structure"

    epochs: int
    """times that the training sees every sample to mend what was lost, over all steps"""
    macs: float = 0.0
    """share of the multiplications that is left; 0: as much as the board may have"""
    board: str = ""
    """the board that the next three are of, which are predicted as `tinyedge fit` does"""
    instructions: float = 0.0
    """share of the instructions on the board that is left; 0: as many as come"""
    max_flash: int = 0
    """bytes of flash that the image may take there; 0: as many as come"""
    max_ram: int = 0
    """bytes of RAM that it may take there; 0: as many as come"""
    score: Literal["l1", "gamma", "taylor"] = "taylor"
    """what a channel is worth: the sum of its weights, the factor of its batch normalization, or the change of the loss
    without it"""
    steps: int = 1
    """times that channels go, each followed by its part of the epochs; at most as many as there are of these"""
    multiple: int = 4
    """number of channels of a layer that is left: a multiple of it, as kernels compute so many at once"""
    learning_rate: float = 0.002
    """the largest of each training, which should be that of [fit]"""
    from_scratch: bool = False
    """the control: a network of the same widths is drawn anew, and trained for the epochs of [fit] as well"""

    def __post_init__(self) -> None:
        for name, share in (("macs", self.macs), ("instructions", self.instructions)):
            if share:
                require_range(name, share, 0.001, 0.999)
        require_range("max_flash", self.max_flash, 0)
        require_range("max_ram", self.max_ram, 0)
        self._targets()
        require_range("epochs", self.epochs, 1)
        require_range("steps", self.steps, 1)
        require_range("multiple", self.multiple, 1, 64)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        channels = find_channels(model)
        families = channels.families()
        if not families:
            raise ModelError(
                "no channel of the model can go: all are fixed by its outputs or by layers of other kinds",
                hint="leave out the technique `prune_channels` in recipe.toml",
            )
        if self.score == "gamma" and not any(kind_of(layer) == "BatchNormalization" for layer in channels.model.layers):
            raise UsageError(
                'the `score` "gamma" of `prune_channels` is of batch normalization, and the model has none',
                hint='`score = "taylor"` needs none',
            )
        whole = Whole.of(channels, self._targets())
        smallest = _gone(channels, {}, self.multiple, float("inf"))
        for what, left, limit in whole.compared(channels, smallest):
            if left > limit:
                raise UsageError(
                    f"`prune_channels` cannot come to {limit:,.0f} {what}: with {self.multiple} channels in each layer "
                    f"that can lose some, {left:,.0f} are left ({left - limit:,.0f} too many)",
                    hint="a larger target, a smaller `multiple`, or a network of other layers",
                )
        scores = {label: float(place) for _, labels in families for place, label in enumerate(labels)}
        return channels.without(self._choose(channels, scores, whole)), ()

    def apply(self, model: Any, training: Training) -> Any:
        whole = Whole.of(find_channels(model), self._targets())
        steps = min(self.steps, self.epochs)
        for step in range(1, steps + 1):
            channels = find_channels(model)
            scores = channel_scores(channels, self.score, training)
            model = channels.without(self._choose(channels, scores, whole, step / steps))
            stage = self.name if steps == 1 else f"{self.name} {step}"
            epochs = self.epochs * step // steps - self.epochs * (step - 1) // steps
            training.fit(model, stage, epochs=epochs, learning_rate=self.learning_rate)
        if self.from_scratch:
            model = fresh_like(model)
            training.fit(
                model,
                f"{self.name} from scratch",
                epochs=training.settings.epochs + self.epochs,
                learning_rate=training.settings.learning_rate,
            )
        training.notes.append(f"`prune_channels` leaves {whole.told(model)}: {_widths(model)} channels")
        return model

    def _targets(self) -> Targets:
        return Targets(self.macs, self.board, self.instructions, self.max_flash, self.max_ram)

    def _choose(self, channels: Channels, scores: Scores, whole: Whole, part: float = 1.0) -> set[int]:
        return choose_channels(channels, scores, self.multiple, lambda gone: whole.is_met(channels, gone, part))


def choose_channels(
    channels: Channels, scores: Scores, multiple: int, is_enough: Callable[[set[int]], bool]
) -> set[int]:
    """The fewest channels, of the smallest scores, without which `is_enough`; as many go as can if it never is."""
    bounds = sorted({*scores.values(), float("inf")})
    low, high = 0, len(bounds) - 1
    while low < high:
        middle = (low + high) // 2
        if is_enough(_gone(channels, scores, multiple, bounds[middle])):
            high = middle
        else:
            low = middle + 1
    return _gone(channels, scores, multiple, bounds[low])


def _gone(channels: Channels, scores: Scores, multiple: int, bound: float) -> set[int]:
    """The channels whose scores are below `bound`, but for what makes up multiples and leaves one of them at least."""
    gone: set[int] = set()
    for _, labels in channels.families():
        order = sorted(labels, key=lambda label: scores.get(label, 0.0))
        below = sum(scores.get(label, 0.0) < bound for label in order)
        left = max(-(-(len(order) - below) // multiple), 1) * multiple
        gone.update(order[: max(len(order) - left, 0)])
    return gone


def _widths(model: Any) -> str:
    """Output channels of each layer with a kernel; the last one has as many as there are classes."""
    kinds = ("Conv1D", "Conv2D", "Dense")
    return "/".join(str(layer.output_shape[-1]) for layer in model.layers if kind_of(layer) in kinds)


TECHNIQUE = PruneChannels
