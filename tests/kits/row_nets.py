"""Random networks of images, and random groups of their layers that run as one stream of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kits.net import Array, Net, Node, weights
from tinyedge.boards import Core
from tinyedge.graph.ir import Graph
from tinyedge.kernels.contract import Kernel
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import optimize_graph
from tinyedge.plan.groups import Groups, Option
from tinyedge.plan.select import find_candidates, serving_kernels
from tinyedge.plan.stream import Stream
from tinyedge.plan.stream_kernel import StreamKernel

Rng = np.random.Generator
_KINDS = ("conv", "conv", "depthwise", "depthwise", "point", "add", "relu", "max", "average")


def random_net(seed: int) -> Graph:
    """Convolutions, depthwise ones, pools, activations and residual sums; at times averaged at the end."""
    rng = np.random.default_rng(seed)
    net = Net()
    channels = int(rng.choice([1, 3, 4, 8]))
    x = net.input((1, int(rng.integers(6, 15)), int(rng.integers(4, 13)), channels))
    before: list[Node] = []
    for number in range(int(rng.integers(3, 8))):
        before.append(x)
        x = _layer(net, rng, x, before, 100 * seed + number)
    if rng.random() < 0.4 and x.shape[1] > 1:
        x = net.mean(x)
    return optimize_graph(net.graph(x))


def _layer(net: Net, rng: Rng, x: Node, before: Sequence[Node], seed: int) -> Node:
    kind = str(rng.choice(_KINDS))
    alike = [node for node in before[:-1] if node.shape == x.shape]
    size, padding = int(rng.choice([2, 3, 5])), str(rng.choice(["same", "valid"]))
    if padding == "valid" and min(x.shape[1:3]) < size:
        padding = "same"
    options: dict[str, Any] = {"stride": int(rng.choice([1, 1, 2])), "padding": padding}
    if kind == "conv":
        return net.conv(x, weights(seed, int(rng.choice([4, 8])), size, size, x.shape[3]), **options)
    if kind == "depthwise":
        times = 4 if x.shape[3] == 1 else 1
        return net.conv(x, weights(seed, 1, size, size, times * x.shape[3]), depthwise=True, **options)
    if kind == "point":
        return net.conv(x, weights(seed, int(rng.choice([4, 8, 12])), 1, 1, x.shape[3]), stride=options["stride"])
    if kind == "add" and alike:
        return net.add(x, alike[int(rng.integers(len(alike)))])
    if kind in ("max", "average") and padding == "valid":
        return net.pool(x, f"{kind}_pool_2d", size, padding)
    return net.pool(x, "max_pool_2d", size, "same") if kind == "max" else net.relu(x)


@dataclass(frozen=True, eq=False)
class Grouped:
    """A group of a network as one layer and one kernel, with what it has to compute."""

    graph: Graph
    option: Option

    @property
    def kernel(self) -> StreamKernel:
        kernel = self.option.candidate.kernel
        assert isinstance(kernel, StreamKernel)
        return kernel

    @property
    def stream(self) -> Stream:
        return self.kernel.stream

    @property
    def layer(self) -> Layer:
        return self.option.candidate.step.layer

    def sample(self, values_of: Mapping[int, Array]) -> tuple[list[Array], Array]:
        """(what the group reads, what it has to compute) of the values of all tensors."""
        return [values_of[key] for key in self.stream.inputs], values_of[self.stream.output]


def random_values(graph: Graph, rng: Rng) -> Mapping[int, Array]:
    """All tensors of a graph as the reference computes them, from random inputs, at times of their ends alone."""
    inputs = []
    for tensor in graph.input_tensors():
        ends = rng.choice([-128, 127], tensor.shape)
        values = rng.integers(-128, 128, tensor.shape) if rng.random() < 0.9 else ends
        inputs.append(values.astype(tensor.dtype.numpy))
    return run_graph(graph, inputs)


def find_groups(graph: Graph, core: Core, kernels: Sequence[Kernel] | None = None) -> Groups:
    """The options of a graph in the order of its file."""
    layers = parse_graph(graph)
    candidates = [find_candidates(layer, core, serving_kernels(layer, kernels)) for layer in layers]
    return Groups(graph, core, candidates, kernels, keep_inputs=False)


def grouped_options(graph: Graph, core: Core) -> list[Grouped]:
    """All groups of two or more layers among the options of a graph."""
    options = find_groups(graph, core).options
    return [Grouped(graph, option) for option in options if option.last > option.first]


def some_groups(seed: int, core: Core, most: int = 3) -> list[Grouped]:
    """Some groups of a random network, drawn by its seed."""
    found = grouped_options(random_net(seed), core)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(found))[:most]
    return [found[at] for at in sorted(chosen)]
