"""Subgraphs while they are drawn: what they read that is theirs to read goes in through the operator that runs them."""

from __future__ import annotations

from collections.abc import Sequence

from kits.draft import Draft, Node

INNER = (
    *("add", "average_pool_2d", "concatenation", "conv_2d", "depthwise_conv_2d", "fully_connected", "gather"),
    *("logistic", "maximum", "mean", "mul", "pad", "relu", "reshape", "slice", "softmax", "sub", "transpose"),
)
"""operators drawn within loops and branches"""


class InnerDraft(Draft):
    """A subgraph of the network that `outer` is; made inside of `outer.builder.subgraph()`.

    operands  tensors of the network, and what they are called in the subgraph; more are added as they are needed
    """

    def __init__(self, outer: Draft, operands: Sequence[Node]) -> None:
        super().__init__(outer.chance)
        self.outer, self.builder = outer, outer.builder
        self.operands = [(node, self._inside(node)) for node in operands]

    def _inside(self, node: Node) -> Node:
        inside = self.target(node.shape, node)
        self.nodes.append(inside)
        return inside

    def input(
        self, shape: Sequence[int], dtype: str = "int8", limits: tuple[float, float] | None = None, **given: object
    ) -> Node:
        """A further input of the network, as an operand."""
        with self.builder.main():
            node = self.outer.input(shape, dtype, limits, **given)
        self.operands.append((node, self._inside(node)))
        return self.operands[-1][1]

    def alike(self, node: Node) -> Node:
        """Something of the subgraph that has the type and the size of `node`, newest first; the operand if nothing."""
        found = [other for other in self.nodes if (other.dtype, other.elements) == (node.dtype, node.elements)]
        return found[-1] if self.flip(0.7) else found[self.number(0, len(found) - 1)]

    def close(self, outputs: Sequence[Node | int]) -> None:
        """State what goes in and what comes out."""
        self.builder.graph.inputs = [inside.key for _, inside in self.operands]
        self.builder.graph.outputs = [node.key if isinstance(node, Node) else node for node in outputs]
