"""What a model holds, as a page."""

from __future__ import annotations

from tinyedge.artifacts.inspection import Inspection
from tinyedge.report.graph_picture import activations_svg, graph_svg
from tinyedge.report.inspect import LAYER_HEADERS, layer_rows, operator_rows, pass_rows, summary, tensor_rows
from tinyedge.report.page import NARROW, WIDE, Drawn, bars, made_on, template


def inspection_html(found: Inspection) -> str:
    """A page: the graph with each layer's bytes and instructions, operators, activations over time, passes, tensors."""
    of = f" on {found.board}, {found.compiler}" if found.board else ""
    return template("inspect").render(
        title=f"{found.model}{of}",
        date=made_on(),
        digest=found.digest,
        problems=found.problems,
        summary=summary(found),
        board=found.board,
        graph=Drawn(graph_svg(found, WIDE), graph_svg(found, NARROW)),
        activations=Drawn(activations_svg(found, WIDE), activations_svg(found, NARROW)),
        operator_headers=("operator", "output", "MACs", "weights", "zeros", "distinct", "dead"),
        operators=operator_rows(found),
        layer_headers=LAYER_HEADERS,
        layers=layer_rows(found),
        layer_bars=bars([(str(row[0]), float(row[3] or 0), f"{row[3]:,}") for row in layer_rows(found)]),
        passes=[(each.name, each.about, *row[1:]) for each, row in zip(found.passes, pass_rows(found), strict=True)],
        tensor_headers=("tensor", "type", "shape", "bytes", "scale", "zero point"),
        tensors=tensor_rows(found),
    )
