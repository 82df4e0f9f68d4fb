"""A model as a C library: the header by which programs know it, and the table by which the measuring firmware does.

Both are the same for each runtime: what differs is said by `Form`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyedge.artifacts import QuantizedModel, feature_input, model_stream
from tinyedge.generate.names import c_name
from tinyedge.generate.part import ranges_text, shape_text
from tinyedge.generate.render import c_string, comment_text, render, template_file
from tinyedge.graph.ir import DType, Graph, Tensor, integer_range
from tinyedge.literals import float_literal, shortest_float

FOLDER = "library"
SHARED_FILES = ("te_affine.h", "te_section.h")
"""of every library, the same for all models"""
INFO_HEADER = "te_model.h"
"""of the table, for the measuring firmware"""
_INTEGERS = (DType.INT8, DType.UINT8, DType.INT16)
"""what real values are quantized to"""


@dataclass(frozen=True)
class Form:
    """What the header of a library has to say of its memory.

    reentrant     its functions can work in memory of the caller
    shared_arena  the arena is one that models of this program share
    """

    arena_bytes: int
    alignment: int
    state_bytes: int = 0
    keeps_inputs: bool = False
    reentrant: bool = True
    shared_arena: bool = False
    input_rows: bool = False
    """the rows of the input are given one by one"""


def names(model: QuantizedModel) -> dict[str, str]:
    """What templates of a model are filled in with: its own name, and the one in C in both cases."""
    c = c_name(model.name)
    return {"model": model.name, "c": c, "C": c.upper()}


def file_digest(model: QuantizedModel) -> str:
    """The first digits of the SHA-256 of the model's file."""
    return hashlib.sha256(model.tflite).hexdigest()[:16]


def library_files(model: QuantizedModel, graph: Graph, form: Form, layer_count: int) -> dict[str, bytes]:
    """`<name>.h`, and the files that all libraries share."""
    inputs = _tensors(model, graph.input_tensors(), "input")
    outputs = _tensors(model, graph.output_tensors(), "output")
    quantized_inputs = [tensor for tensor in inputs if tensor["quantize"]]
    quantized_outputs = [tensor for tensor in outputs if tensor["dequantize"]]
    c = c_name(model.name)
    header = render(
        "model.h.j2",
        folder=FOLDER,
        **names(model),
        digest=file_digest(model),
        usage=_rows_usage(c, outputs[0]) if form.input_rows else _usage(c, inputs[0], outputs[0]),
        arena_bytes=form.arena_bytes,
        alignment=form.alignment,
        state_bytes=form.state_bytes,
        keeps_inputs=form.keeps_inputs,
        reentrant=form.reentrant,
        shared_arena=form.shared_arena,
        rows=input_rows(graph) if form.input_rows else {},
        in_arguments=in_arguments(c, form),
        has_bool=any(tensor["ctype"] == "bool" for tensor in (*inputs, *outputs)),
        inputs=inputs,
        outputs=outputs,
        quantized_inputs=quantized_inputs,
        quantized_outputs=quantized_outputs,
        layer_count=layer_count,
        labels=class_labels(model, graph),
    )
    return {f"{c}.h": header, **{name: template_file(f"{FOLDER}/{name}") for name in SHARED_FILES}}


def input_rows(graph: Graph) -> dict[str, Any]:
    """What files say of an input whose rows are given one by one."""
    tensor = graph.input_tensors()[0]
    _, count, columns, channels = tensor.shape
    return {"count": count, "bytes": columns * channels * tensor.dtype.bytes, "ctype": tensor.dtype.c_name}


def in_arguments(c: str, form: Form) -> str:
    """The parameters of functions that work in memory of the caller."""
    return f"void *arena, {c}_state *state" if form.state_bytes else "void *arena"


def class_labels(model: QuantizedModel, graph: Graph) -> list[str]:
    """C strings of the model's classes, where there is one for each channel of its first output."""
    shape = graph.output_tensors()[0].shape
    fit = bool(shape) and len(model.class_names) == shape[-1]
    return [c_string(name) for name in model.class_names] if fit else []


def info_file(
    model: QuantizedModel,
    graph: Graph,
    *,
    runtime: str,
    selftest_crc: int,
    layers: Sequence[str],
    spans: Sequence[str] = (),
    rows: Sequence[str] = (),
    input_rows: bool = False,
) -> dict[str, bytes]:
    """`<name>_info.c`: the table that the measuring firmware reads.

    layers, spans, rows  initializers of te_layer_info, te_span and te_rows
    input_rows           the rows of the input are given one by one: by the firmware, from an image that it keeps

    Raises: ModelError when the model's features do not fit its input
    """
    content = render(
        "model_info.c.j2",
        folder=FOLDER,
        **names(model),
        digest=file_digest(model),
        runtime=runtime,
        selftest_crc=f"0x{selftest_crc:08x}u",
        inputs=_tensors(model, graph.input_tensors(), "input"),
        outputs=_tensors(model, graph.output_tensors(), "output"),
        input_ranges=ranges_text(graph),
        has_features=feature_input(model, graph) is not None,
        listens=model_stream(model, graph) is not None,
        layers=layers,
        spans=spans,
        rows=rows,
        input_rows=input_rows,
    )
    return {f"{c_name(model.name)}_info.c": content}


def _tensors(model: QuantizedModel, tensors: Sequence[Tensor], kind: str) -> list[dict[str, Any]]:
    """What header and table say of the inputs or outputs; the only one has no number in its names."""
    c = c_name(model.name)
    found = []
    for i, tensor in enumerate(tensors):
        number = f"_{i}" if len(tensors) > 1 else ""
        quantized = tensor.quantization is not None and len(tensor.quantization.scale) == 1
        zero_point = tensor.zero_point if quantized else 0
        affine = quantized and 0 < tensor.scale < math.inf and tensor.dtype in _INTEGERS
        lowest, highest = integer_range(tensor.dtype) if affine else (0, 0)
        found.append(
            {
                "c": f"{c}_{kind}{number}",
                "C": f"{c}_{kind}{number}".upper(),
                "title": f"{kind.capitalize()} {i}",
                "phrase": f"{kind} {i}" if number else f"the {kind}",
                "name": comment_text(tensor.name),
                "type": tensor.dtype.value,
                "ctype": tensor.dtype.c_name,
                "rank": len(tensor.shape),
                "dimensions": ", ".join(map(str, tensor.shape)),
                "bytes": tensor.bytes,
                "elements": tensor.elements,
                "wire_shape": shape_text(tensor.shape),
                "wire_scale": shortest_float(tensor.scale) if quantized else "",
                "scale": float_literal(tensor.scale) if affine else "",
                "zero_point": zero_point,
                "zero": f"({zero_point})" if zero_point < 0 else zero_point,
                "lowest": lowest,
                "highest": highest,
                "quantize": f"{c}_quantize{number}" if affine else "",
                "dequantize": f"{c}_dequantize{number}" if affine else "",
            }
        )
    return found


def _usage(c: str, source: dict[str, Any], target: dict[str, Any]) -> list[str]:
    """A program of a few lines, for the head of the header."""
    value = f"{source['quantize']}(measured(i))" if source["quantize"] else "measured(i)"
    result = f"{target['dequantize']}(out[i])" if target["dequantize"] else "out[i]"
    count = f"{source['C']}_ELEMENTS"
    return [
        f"    {c}_init();",
        f"    {source['c']}_t *in = ({source['c']}_t *){c}_input(0);",
        f"    for (int i = 0; i < {count}; ++i) {{",
        f"      in[i] = {value};",
        "    }",
        f"    {c}_invoke();",
        f"    const {target['c']}_t *out = (const {target['c']}_t *){c}_output(0);",
        f"    for (int i = 0; i < {target['C']}_ELEMENTS; ++i) {{",
        f"      use({result});",
        "    }",
    ]


def _rows_usage(c: str, target: dict[str, Any]) -> list[str]:
    """The same where rows are given one by one."""
    result = f"{target['dequantize']}(out[i])" if target["dequantize"] else "out[i]"
    return [
        f"    {c}_init();",
        f"    while (!{c}_push_row(next_row())) {{",
        "    }",
        f"    const {target['c']}_t *out = (const {target['c']}_t *){c}_output(0);",
        f"    for (int i = 0; i < {target['C']}_ELEMENTS; ++i) {{",
        f"      use({result});",
        "    }",
    ]
