"""Chains of techniques worth trying, and which of them promise to meet limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.artifacts.compression import ImageFigures, Limits
from tinyedge.train.compress.cluster import Cluster
from tinyedge.train.compress.contract import Technique
from tinyedge.train.compress.int4 import Int4
from tinyedge.train.compress.prune import Prune
from tinyedge.train.compress.prune_channels import PruneChannels
from tinyedge.train.compress.quantize_aware import QuantizeAware
from tinyedge.train.recipe import Recipe

_SHARES = (0.7, 0.5, 0.35, 0.25, 0.15)
"""of the multiplications, that channels are pruned to"""
_INT4_BYTES, _CLUSTER_BYTES, _PRUNED_BYTES = 0.55, 0.6, 0.55
"""what is left of the bytes of weights, about"""
_OVERHEAD = 0.05
"""share of the instructions that no channel takes with it"""
_SLACK = 1.1
"""an estimate that is over a limit by less may fit"""


@dataclass(frozen=True)
class Chain:
    """Techniques in their order, and what they leave by estimate, as shares of what int8 alone takes."""

    name: str
    techniques: tuple[Technique, ...]
    weights: float = 1.0
    work: float = 1.0
    """of the instructions; activations shrink with its root"""


def list_chains(recipe: Recipe) -> list[Chain]:
    """All chains, the gentlest first. The trainings take half of the epochs of [fit] each, at its learning rate."""
    epochs, rate = max(1, recipe.fit.epochs // 2), recipe.fit.learning_rate
    int4 = Int4(epochs=epochs, learning_rate=rate / 2)
    cluster = Cluster(epochs=epochs, learning_rate=rate / 2)
    prune = Prune(sparsity=0.75, epochs=2 * epochs, learning_rate=rate)
    aware = QuantizeAware(epochs=max(1, epochs // 2), learning_rate=rate / 10)
    chains = [
        Chain("int8 alone", ()),
        Chain("quantize_aware", (aware,)),
        Chain("int4", (int4,), _INT4_BYTES),
        Chain("cluster", (cluster,), _CLUSTER_BYTES),
        Chain("prune 75 %, quantize_aware", (prune, aware), _PRUNED_BYTES),
    ]
    for share in _SHARES:
        fewer = PruneChannels(macs=share, epochs=epochs, learning_rate=rate)
        work = share + _OVERHEAD
        name = f"prune_channels {share:g}"
        chains.append(Chain(name, (fewer,), share, work))
        chains.append(Chain(f"{name}, int4", (fewer, int4), share * _INT4_BYTES, work))
    return chains


def in_order_of_promise(chains: Sequence[Chain], first: ImageFigures | None, limits: Limits) -> list[Chain]:
    """Chains that should meet the limits, the gentlest first, then the others, the nearest first.

    first  what the model takes as int8 alone, or as its recipe has it; None: it fits no image, and chains that make it
           smaller come first, the gentlest of them first
    """
    if first is None:
        left = [chain.weights * chain.work for chain in chains]
        ranked = sorted(zip(left, range(len(chains)), strict=True), key=lambda pair: (pair[0] >= 1, -pair[0]))
        return [chains[at] for _, at in ranked]
    estimates = [(chain, estimated_ratio(chain, first, limits)) for chain in chains]
    promising = [chain for chain, ratio in estimates if ratio <= _SLACK]
    others = sorted((pair for pair in estimates if pair[1] > _SLACK), key=lambda pair: pair[1])
    return promising + [chain for chain, _ in others]


def estimated_ratio(chain: Chain, first: ImageFigures, limits: Limits) -> float:
    """The largest ratio of an estimate to its limit.

    >>> figures = ImageFigures(40_000, 8_000, 20_000, 1_000, None, 0.9, 0.9, 1.0, 0)
    >>> round(estimated_ratio(Chain("int4", (), 0.5), figures, Limits(flash_bytes=30_000)), 2)
    1.0
    """
    ratios = [0.0]
    if limits.flash_bytes is not None:
        ratios.append((first.flash_bytes - first.constant_bytes * (1 - chain.weights)) / limits.flash_bytes)
    if limits.ram_bytes is not None:
        ratios.append(first.ram_bytes * math.sqrt(chain.work) / limits.ram_bytes)
    if limits.latency_us is not None and first.latency_us is not None:
        ratios.append(first.latency_us * chain.work / limits.latency_us)
    if limits.instructions is not None and first.instructions is not None:
        ratios.append(first.instructions * chain.work / limits.instructions)
    return max(ratios)
