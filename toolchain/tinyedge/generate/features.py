"""The features of a model, as files of its library."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.artifacts import QuantizedModel, feature_input, model_stream
from tinyedge.boards import Isa
from tinyedge.features.source import feature_source
from tinyedge.features.stream import RUNTIME, stream_source
from tinyedge.generate.names import c_name
from tinyedge.generate.render import comment_text
from tinyedge.graph.ir import Graph
from tinyedge.kernels.sources import runtime_files


@dataclass(frozen=True, eq=False)
class FeaturePart:
    """Files below model/ and runtime/, and what a firmware has to know of them; nothing for a model without features.

    window_bytes  of samples that a row is computed of
    listens       whether the library can listen to a signal
    """

    files: dict[str, bytes]
    window_bytes: int = 0
    listens: bool = False


def feature_part(model: QuantizedModel, graph: Graph, isa: Isa) -> FeaturePart:
    """The features of a model. Raises: ModelError when they do not fit its input."""
    filled = feature_input(model, graph)
    if filled is None:
        return FeaturePart({})
    c, title = c_name(model.name), comment_text(model.name)
    source = feature_source(filled, c, title, isa)
    own, runtime = dict(source.own), dict(source.runtime)
    stream = model_stream(model, graph)
    if stream is not None:
        own |= stream_source(stream, c, title, source.state_bytes)
        runtime |= runtime_files(RUNTIME, isa)
    files = {f"model/{name}": content for name, content in own.items()}
    files |= {f"runtime/{name}": content for name, content in runtime.items()}
    return FeaturePart(files, filled.features.window_bytes, listens=stream is not None)
