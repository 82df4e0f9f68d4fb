"""What a model holds: as text and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from tinyedge.artifacts.inspection import InspectedOperator, InspectedTensor, InspectedWeights, Inspection, PassEffect
from tinyedge.report.table import Cell, format_bytes, format_pairs, format_share, render_table

SCHEMA = "tinyedge.inspect/1"
_BAR = 40
"""characters of the longest bar"""
_OPERATOR_HEADERS = ("operator", "output", "MACs", "weights", "zeros", "distinct", "dead")
_TENSOR_HEADERS = ("tensor", "type", "shape", "bytes", "scale", "zero point")
LAYER_HEADERS = ("layer", "kernel", "bytes", "instructions")


def render_inspection(found: Inspection, *, tensors: bool = False) -> str:
    """Operators with shapes, MACs and weights; activations over time; passes; with a board, its layers.

    tensors  every tensor too, with its quantization
    """
    parts = [f"{found.model}: {format_bytes(found.file_bytes)}", format_pairs(summary(found))]
    parts.append(render_table(_OPERATOR_HEADERS, operator_rows(found)))
    if tensors:
        parts.append(render_table(_TENSOR_HEADERS, tensor_rows(found)))
    if found.operators:
        parts.append("activations alive at each operator, in the order of the file\n" + _bars(found))
    if found.passes:
        parts.append(render_table(("pass", "operators", "constants"), pass_rows(found)))
    if found.layers:
        parts.append(
            f"on {found.board}, {found.compiler} (predicted)\n" + render_table(LAYER_HEADERS, layer_rows(found))
        )
    return "\n\n".join(parts) + "\n"


def summary(found: Inspection) -> list[tuple[str, str]]:
    """(name, text) of the model as a whole."""
    counts = Counter(operator.name for operator in found.operators)
    names = ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
    unknown = sum(operator.macs is None for operator in found.operators)
    pairs = [
        ("runs", "yes" if not found.problems else "no: " + found.problems[0]),
        ("inputs", "; ".join(_described(found.tensor(key)) for key in found.inputs) or "none"),
        ("outputs", "; ".join(_described(found.tensor(key)) for key in found.outputs) or "none"),
        ("operators", f"{len(found.operators)}: {names}" if names else "none"),
        ("MACs", f"{found.macs:,}" + (f", and those of {unknown} operators that are unknown" if unknown else "")),
        ("weights", _weights_text(found)),
        ("activations", f"{format_bytes(found.peak_bytes)} at most, each in a place of its own"),
    ]
    if found.further_graphs:
        pairs.append(("subgraphs", f"{found.further_graphs} more, which operators run"))
    return pairs


def _weights_text(found: Inspection) -> str:
    weights = [operator.weights for operator in found.operators if operator.weights is not None]
    zeros, count = sum(each.zeros for each in weights), sum(each.count for each in weights)
    dead = sum(each.dead_channels for each in weights)
    text = f"{format_bytes(found.weight_bytes)}, {format_share(zeros, count)} zeros"
    return f"{text}, {dead:,} dead channels" if dead else text


def _described(tensor: InspectedTensor) -> str:
    return f"{tensor.name} {tensor.dtype} {shape_text(tensor)}{_quantization(tensor)}"


def shape_text(tensor: InspectedTensor) -> str:
    """`[1,49,10,1]`, with `?` for a size that the file leaves open."""
    return f"[{','.join('?' if size < 0 else str(size) for size in tensor.shape)}]"


def _quantization(tensor: InspectedTensor) -> str:
    if tensor.smallest_scale is None:
        return ""
    return f", scale {_scale_text(tensor)}, zero point {tensor.zero_point}"


def _scale_text(tensor: InspectedTensor) -> str:
    if tensor.smallest_scale is None:
        return ""
    if tensor.scales == 1:
        return f"{tensor.smallest_scale:.4g}"
    return f"{tensor.smallest_scale:.3g} to {tensor.largest_scale:.3g}"


def operator_rows(found: Inspection) -> list[tuple[Cell, ...]]:
    """One for each operator, in the order of the file."""
    return [_operator_row(found, operator) for operator in found.operators]


def _operator_row(found: Inspection, operator: InspectedOperator) -> tuple[Cell, ...]:
    output = found.tensor(operator.outputs[0]) if operator.outputs else None
    name = f"{operator.index} {operator.name}"
    if operator.activation != "none":
        name += f" + {operator.activation}"
    weights: InspectedWeights | None = operator.weights
    return (
        name,
        "" if output is None else f"{output.dtype} {shape_text(output)}",
        "unknown" if operator.macs is None else operator.macs,
        None if weights is None else format_bytes(weights.bytes),
        None if weights is None else format_share(weights.zeros, weights.count),
        None if weights is None else weights.distinct,
        None if weights is None or not weights.channels else f"{weights.dead_channels} of {weights.channels}",
    )


def tensor_rows(found: Inspection) -> list[tuple[Cell, ...]]:
    """One for each tensor, with its quantization."""
    return [
        (
            f"{tensor.index} {tensor.name}",
            tensor.dtype,
            shape_text(tensor),
            tensor.bytes,
            _scale_text(tensor),
            tensor.zero_point,
        )
        for tensor in found.tensors
    ]


def _bars(found: Inspection) -> str:
    largest = max(found.peak_bytes, 1)
    rows = [
        (f"{each.index} {each.name}", "#" * max(round(_BAR * each.alive_bytes / largest), 1), f"{each.alive_bytes:,} B")
        for each in found.operators
    ]
    return render_table(("operator", "alive", "bytes"), rows)


def pass_rows(found: Inspection) -> list[tuple[Cell, ...]]:
    """(pass, operators that went and came, constants) of each pass that did something."""
    return [(each.name, effect_text(each), f"{each.constant_bytes:+,} B") for each in found.passes]


def effect_text(effect: PassEffect) -> str:
    """`-2 pad, +1 concatenation`, or `as many as before`."""
    changes = [*(f"-{count} {name}" for name, count in effect.gone), *(f"+{n} {name}" for name, n in effect.added)]
    return ", ".join(changes) or "as many as before"


def layer_rows(found: Inspection) -> list[tuple[Cell, ...]]:
    """One for each layer of a board, in order of execution."""
    return [
        (
            each.name if each.operator is None else f"{each.operator} {each.name}",
            each.kernel,
            format_bytes(each.constant_bytes),
            each.instructions,
        )
        for each in found.layers
    ]


def inspection_document(found: Inspection) -> dict[str, Any]:
    """`tinyedge.inspect/1`."""
    return {
        "schema": SCHEMA,
        "model": {"name": found.model, "digest": found.digest, "file_bytes": found.file_bytes},
        "runs": not found.problems,
        "problems": list(found.problems),
        "macs": found.macs,
        "weight_bytes": found.weight_bytes,
        "peak_activation_bytes": found.peak_bytes,
        "inputs": list(found.inputs),
        "outputs": list(found.outputs),
        "further_subgraphs": found.further_graphs,
        "tensors": [asdict(tensor) for tensor in found.tensors],
        "operators": [asdict(operator) for operator in found.operators],
        "passes": [
            {
                "name": each.name,
                "about": each.about,
                "removed": dict(each.gone),
                "added": dict(each.added),
                "constant_bytes": each.constant_bytes,
            }
            for each in found.passes
        ],
        "board": found.board or None,
        "compiler": found.compiler if found.board else None,
        "layers": [asdict(layer) for layer in found.layers],
    }
