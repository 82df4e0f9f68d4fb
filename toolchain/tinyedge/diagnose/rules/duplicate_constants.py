"""TE403: the same constant, stored more than once."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.digests import digest
from tinyedge.graph.stored import StoredGraph, StoredTensor

_SMALLEST_BYTES = 64


def find(subject: Subject) -> Iterator[Found]:
    copies: dict[str, list[tuple[StoredGraph, StoredTensor]]] = {}
    seen: set[int | None] = set()
    for graph in subject.graphs:
        for tensor in graph.tensors:
            if tensor.stored is None or tensor.stored.size < _SMALLEST_BYTES or tensor.offset in seen:
                continue
            seen.add(tensor.offset)
            copies.setdefault(digest(tensor.stored.tobytes()), []).append((graph, tensor))
    for places in copies.values():
        if len(places) > 1:
            graph, tensor = places[1]
            size = sum(copy.stored.size for _, copy in places[1:] if copy.stored is not None)
            yield Found(
                f"the same bytes as `{places[0][1].name}`, {len(places)} times in the file: {size:,} B too many",
                graph.number,
                tensor=tensor,
            )


RULE = Rule(
    Explanation(
        "TE403",
        "duplicate constants",
        "warning",
        "Layers that share their weights have a copy each; on a device that is flash for nothing. TensorFlow's "
        "converter joins equal constants, tools that join or edit files do not.",
        "Constants of layers are stored for each layer as its kernel wants them, so a copy costs flash here too.",
        "Use one layer twice, and convert again with TensorFlow:\n\n"
        "    shared = layers.Dense(16)\n"
        "    y = shared(shared(x))",
    ),
    find,
)
