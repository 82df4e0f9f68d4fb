"""Low rank: a layer becomes two or three thin ones, whose kernels multiply to nearly the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from tinyedge.errors import UsageError
from tinyedge.install import require_package
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.fit import Training
from tinyedge.train.layers import describe, kind_of
from tinyedge.train.rewrite import Changes as Rebuilt
from tinyedge.train.rewrite import all_layers, fold_norms, rebuild

Array = npt.NDArray[Any]

_FEWEST_WEIGHTS = 256
"""of a kernel that is worth splitting"""
_ROUNDS = 100
"""in which the summands of a kernel are found"""
_GROWTH = 3
"""halves by which the rank grows from one that is tried to the next"""


@dataclass(frozen=True)
class LowRank(Technique):
    """Singular values of dense layers and 1x1 convolutions, Tucker-2 or CP of larger kernels; then all is trained on.

    Batch normalization is folded into the weights before. A layer is split only where that saves multiplications: a
    matrix of n x m needs a rank below n m / (n + m).
    Source: Kim et al., "Compression of deep convolutional neural networks for fast and low power mobile applications"
    (2016), for Tucker-2; Lebedev et al., "Speeding-up convolutional neural networks using fine-tuned CP-decomposition"
    (2015)
    """

    name: ClassVar[str] = "low_rank"
    changes: ClassVar[Changes] = "structure"

    epochs: int
    """times that the training sees every sample to mend what was lost"""
    energy: float = 0.9
    """share of the squared singular values that is kept, which decides the ranks"""
    rank: int = 0
    """of every layer that is split, at most that of the energy 1; 0: by `energy`"""
    layers: tuple[str, ...] = ()
    """names of layers that are split; none: all that save something"""
    form: Literal["tucker", "cp"] = "tucker"
    """what a kernel larger than 1x1 becomes: a smaller kernel between two 1x1, or a depthwise one between them"""
    learning_rate: float = 0.001
    """the largest of this training"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("energy", self.energy, 0.1, 0.9999)
        require_range("rank", self.rank, 0)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        """What energy decides is known of trained weights alone: a named layer, or a rank, is judged here."""
        if self.form == "cp":
            require_package("`low_rank` of the form `cp`", "tensorly", "train")
        model = fold_norms(model)
        splittable = [layer for layer in all_layers(model) if _is_splittable(layer)]
        names = {layer.name for layer in splittable}
        for name in self.layers:
            if name not in names:
                known = ", ".join(f"`{each}`" for each in sorted(names)) or "none"
                raise UsageError(f"`low_rank` cannot split the layer `{name}`; layers that can be split: {known}")
        wanted = [layer for layer in splittable if not self.layers or layer.name in self.layers]
        if self.rank:
            beyond = [layer for layer in wanted if _cost(layer, self._ranks(layer)) >= _cost(layer, None)]
            if len(beyond) == len(wanted) or (self.layers and beyond):
                told = ", ".join(f"{describe(layer)} below {self._break_even(layer):.1f}" for layer in beyond) or "none"
                raise UsageError(
                    f"`rank` of `low_rank` is {self.rank}, which saves nothing; it would in {told}",
                    hint="a smaller rank, or `prune_channels`",
                )
        elif not any(self._break_even(layer) > 1 for layer in wanted):
            raise UsageError("no layer of the model can be split so that it saves anything")
        notes: tuple[str, ...] = ()
        if not self.rank:
            notes = (
                "`low_rank` finds the ranks in the trained weights: it leaves layers whole where it saves nothing",
            )
        return self._split(model, at_most=0.5)[0], notes

    def apply(self, model: Any, training: Training) -> Any:
        model = fold_norms(model)
        split, told = self._split(model)
        training.notes.extend(told)
        training.fit(split, self.name, epochs=self.epochs, learning_rate=self.learning_rate)
        return split

    def _split(self, model: Any, at_most: float = 1.0) -> tuple[Any, list[str]]:
        """(the model with thin layers, what is to be said of each).

        at_most  share of the break-even rank that ranks are cut to: untrained weights tell nothing of energies
        """
        replaced: dict[int, Sequence[Any]] = {}
        weights: list[tuple[Any, Any]] = []
        told = []
        for layer in all_layers(model):
            if not _is_splittable(layer) or (self.layers and layer.name not in self.layers):
                continue
            ranks = self._ranks(layer) if at_most == 1 or not self._is_cp(layer) else (int(self._break_even(layer)),)
            if at_most < 1:
                bound = max(1, int(self._break_even(layer) * at_most))
                ranks = tuple(min(rank, bound) for rank in ranks)
            before, after = _cost(layer, None), _cost(layer, ranks)
            shown = "x".join(map(str, ranks))
            if after >= before:
                told.append(
                    f"`low_rank` leaves {describe(layer)} whole: rank {shown} would take {after:,} weights instead of "
                    f"{before:,}; it saves below rank {self._break_even(layer):.1f}"
                )
                continue
            told.append(f"`low_rank` splits {describe(layer)} at rank {shown}: {after:,} weights instead of {before:,}")
            thin = _thin_layers(layer, ranks)
            replaced[id(layer)] = [each for each, _ in thin]
            weights += thin
        if not replaced:
            return model, told
        split = rebuild(model, Rebuilt(replaced=replaced))
        for thin_layer, values in weights:
            thin_layer.set_weights(values)
        return split, told

    def _ranks(self, layer: Any) -> tuple[int, ...]:
        """(rank,) of a matrix; (inputs, outputs) of a larger kernel."""
        kernel = layer.get_weights()[0]
        if _is_matrix(layer):
            return (self._rank(kernel.reshape(kernel.shape[-2:])),)
        if self._is_cp(layer):
            return (self.rank or cp_rank(kernel, self.energy, int(cp_break_even(layer)) + 1),)
        return self._rank(np.moveaxis(kernel, -2, 0)), self._rank(np.moveaxis(kernel, -1, 0))

    def _is_cp(self, layer: Any) -> bool:
        return self.form == "cp" and not _is_matrix(layer)

    def _break_even(self, layer: Any) -> float:
        return cp_break_even(layer) if self._is_cp(layer) else break_even(layer)

    def _rank(self, kernel: Array) -> int:
        """Of the matrix whose rows are the first axis."""
        matrix = kernel.reshape(len(kernel), -1)
        if self.rank:
            return min(self.rank, *matrix.shape)
        energies = np.cumsum(np.square(np.linalg.svd(matrix, compute_uv=False)))
        if energies[-1] == 0:
            return 1
        return int(np.searchsorted(energies, self.energy * energies[-1]) + 1)


def break_even(layer: Any) -> float:
    """The rank at which thin layers have as many weights as the layer; of both sides of a larger kernel.

    A matrix of n x m: n m / (n + m). A kernel of a positions: the r with n r + a r^2 + r m = a n m.
    """
    *area, inputs, outputs = layer.get_weights()[0].shape
    if _is_matrix(layer):
        return float(inputs * outputs / (inputs + outputs))
    positions = float(np.prod(area))
    both = inputs + outputs
    return float((np.sqrt(both**2 + 4 * positions**2 * inputs * outputs) - both) / (2 * positions))


def cp_break_even(layer: Any) -> float:
    """The rank at which the thin layers of the form CP have as many weights: r with r (n + a + m) = a n m."""
    *area, inputs, outputs = layer.get_weights()[0].shape
    positions = float(np.prod(area))
    return float(positions * inputs * outputs / (inputs + positions + outputs))


def _cost(layer: Any, ranks: Sequence[int] | None) -> int:
    """Weights of the kernels of a layer, or of the thin ones of these ranks."""
    *area, inputs, outputs = layer.get_weights()[0].shape
    positions = int(np.prod(area)) if area else 1
    if ranks is None:
        return int(positions * inputs * outputs)
    if len(ranks) == 1:
        return int(ranks[0] * (inputs + outputs + (0 if _is_matrix(layer) else positions)))
    return int(inputs * ranks[0] + positions * ranks[0] * ranks[1] + ranks[1] * outputs)


def _thin_layers(layer: Any, ranks: Sequence[int]) -> list[tuple[Any, list[Array]]]:
    """(layer, weights) of each of the layers that take the place of one; the last has its bias and activation."""
    from tf_keras import layers

    kernel, *bias = layer.get_weights()
    config = layer.get_config()
    ending = {"activation": config["activation"], "use_bias": config["use_bias"]}
    name = layer.name
    if kind_of(layer) == "Dense":
        left, right = split_matrix(kernel, ranks[0])
        first = layers.Dense(ranks[0], use_bias=False, name=f"{name}_in")
        last = layers.Dense(config["units"], name=f"{name}_out", **ending)
        return [(first, [left]), (last, [right, *bias])]
    count = config["filters"]
    if _is_matrix(layer):
        left, right = split_matrix(kernel[0, 0], ranks[0])
        first = layers.Conv2D(ranks[0], 1, strides=config["strides"], use_bias=False, name=f"{name}_in")
        last = layers.Conv2D(count, 1, name=f"{name}_out", **ending)
        return [(first, [left[None, None]]), (last, [right[None, None], *bias])]
    if len(ranks) == 1:
        filters, first, last = cp(kernel, ranks[0])
        middle = {key: config[key] for key in ("kernel_size", "strides", "padding", "dilation_rate")}
        return [
            (layers.Conv2D(ranks[0], 1, use_bias=False, name=f"{name}_in"), [first[None, None]]),
            (layers.DepthwiseConv2D(use_bias=False, name=f"{name}_core", **middle), [filters[..., None]]),
            (layers.Conv2D(count, 1, name=f"{name}_out", **ending), [last.T[None, None], *bias]),
        ]
    inputs, core, outputs = tucker_2(kernel, *ranks)
    middle = {key: config[key] for key in ("kernel_size", "strides", "padding", "dilation_rate")}
    return [
        (layers.Conv2D(ranks[0], 1, use_bias=False, name=f"{name}_in"), [inputs[None, None]]),
        (layers.Conv2D(ranks[1], use_bias=False, name=f"{name}_core", **middle), [core]),
        (layers.Conv2D(count, 1, name=f"{name}_out", **ending), [outputs[None, None], *bias]),
    ]


def split_matrix(matrix: Array, rank: int) -> tuple[Array, Array]:
    """Two matrices of this rank whose product is the nearest to `matrix`; both have a part of its singular values.

    >>> left, right = split_matrix(np.outer([1.0, 2.0], [3.0, 4.0]), 1)
    >>> (left @ right).round(6).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    root = np.sqrt(values[:rank])
    return left[:, :rank] * root, root[:, None] * right[:rank]


def tucker_2(kernel: Array, inputs: int, outputs: int) -> tuple[Array, Array, Array]:
    """(from input channels [n, inputs], core [h, w, inputs, outputs], to output channels [outputs, m]).

    Source: the higher-order singular value decomposition of De Lathauwer, De Moor and Vandewalle (2000), of two axes
    """
    first = np.linalg.svd(np.moveaxis(kernel, -2, 0).reshape(kernel.shape[-2], -1), full_matrices=False)[0][:, :inputs]
    last = np.linalg.svd(np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1), full_matrices=False)[0][:, :outputs]
    core = np.einsum("hwnm,ni,mo->hwio", kernel, first, last)
    return first, core, last.T


def cp(kernel: Array, rank: int) -> tuple[Array, Array, Array]:
    """(filters [h, w, rank], from input channels [n, rank], to output channels [m, rank]), whose products add up to
    nearly the kernel [h, w, n, m]; the three have a part of the size of each summand."""
    from tensorly.decomposition import parafac

    height, width, inputs, outputs = kernel.shape
    weights, factors = parafac(
        kernel.reshape(-1, inputs, outputs).astype(np.float64),
        rank,
        n_iter_max=_ROUNDS,
        init="svd",
        tol=1e-7,
        random_state=0,
        normalize_factors=True,
    )
    root = np.cbrt(weights)
    filters, first, last = (np.asarray(factor) * root for factor in factors)
    return filters.reshape(height, width, rank), first, last


def cp_rank(kernel: Array, energy: float, most: int) -> int:
    """The smallest of some ranks that keeps this share of the squared weights, `most` if none does."""
    whole, rank = float(np.square(kernel).sum()), 1
    while rank < most:
        filters, first, last = cp(kernel, rank)
        left = float(np.square(kernel - np.einsum("hwr,nr,mr->hwnm", filters, first, last)).sum())
        if whole == 0 or 1 - left / whole >= energy:
            return rank
        rank = max(rank + 1, rank * _GROWTH // 2)
    return most


def _is_matrix(layer: Any) -> bool:
    return kind_of(layer) == "Dense" or tuple(layer.kernel_size) == (1, 1)


def _is_splittable(layer: Any) -> bool:
    if kind_of(layer) not in ("Conv2D", "Dense") or getattr(layer, "groups", 1) != 1:
        return False
    kernel = layer.get_weights()[0]
    return bool(kernel.size >= _FEWEST_WEIGHTS and min(kernel.shape[-2:]) > 1)


TECHNIQUE = LowRank
