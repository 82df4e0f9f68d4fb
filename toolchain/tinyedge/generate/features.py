"""The features of a model, as files of its library."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.artifacts import QuantizedModel, feature_input
from tinyedge.boards import Isa
from tinyedge.features.source import feature_source
from tinyedge.generate.names import c_name
from tinyedge.generate.render import comment_text
from tinyedge.graph.ir import Graph


@dataclass(frozen=True, eq=False)
class FeaturePart:
    """Files below model/ and runtime/, and what a firmware has to know of them; nothing for a model without features.

    window_bytes  of samples that a row is computed of
    """

    files: dict[str, bytes]
    window_bytes: int = 0


def feature_part(model: QuantizedModel, graph: Graph, isa: Isa) -> FeaturePart:
    """The features of a model. Raises: ModelError when they do not fit its input."""
    filled = feature_input(model, graph)
    if filled is None:
        return FeaturePart({})
    source = feature_source(filled, c_name(model.name), comment_text(model.name), isa)
    files = {f"model/{name}": content for name, content in source.own.items()}
    files |= {f"runtime/{name}": content for name, content in source.runtime.items()}
    return FeaturePart(files, filled.features.window_bytes)
