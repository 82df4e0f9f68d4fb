"""The model compiled ahead of time: a plan becomes `<name>.c` and `.h`, its constants `<name>_data.c`, its kernels
runtime/ and, those in assembler, `<name>_kernels.S`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import Buffer, Plan, PlanUnit, QuantizedModel, RowsAt
from tinyedge.boards import Core, Isa
from tinyedge.errors import InternalError, ModelError
from tinyedge.generate import assembler
from tinyedge.generate.features import feature_part
from tinyedge.generate.library import (
    FOLDER,
    Form,
    class_labels,
    in_arguments,
    info_file,
    input_rows,
    library_files,
    names,
)
from tinyedge.generate.names import c_name
from tinyedge.generate.part import LayerRow, ModelPart, ranges_text, tensors_text
from tinyedge.generate.render import comment_text, render
from tinyedge.graph.ir import DType, Tensor
from tinyedge.kernels.contract import Code, Constant, Operands
from tinyedge.kernels.sources import runtime_files
from tinyedge.literals import c_values

_FEATURES = {
    Isa.ARMV6M: "__thumb__",
    Isa.ARMV7EM: "__ARM_FEATURE_DSP",
    Isa.ARMV8M_DSP: "__ARM_FEATURE_DSP",
    Isa.ARMV81M: "__ARM_FEATURE_MVE",
}
"""what compilers define for cores that run the functions in assembler of a kind of core"""


STATE_BYTES = 8
"""at the end of the scratch of a group whose rows are given one by one: how far it has come"""


@dataclass(frozen=True)
class _Step:
    """A planned layer with its C, or a group of layers; `number` is that of its first step."""

    number: int
    planned: PlanUnit
    code: Code


def generate_aot(
    plan: Plan, model: QuantizedModel, core: Core, *, selftest_crc: int, shared_arena: bool = False
) -> ModelPart:
    """The files of the ahead-of-time runtime.

    selftest_crc  CRC-32 (zlib's) of all outputs for the self-test input that te_model.h describes
    shared_arena  the arena is one that several models of the program share; else the model brings its own

    Raises: ModelError when the graph has no operator, or an input or output that is not in the arena
    """
    if not plan.layers:
        raise ModelError(f"model `{model.name}` has no operator to run")
    c = c_name(model.name)
    steps = [_emit(plan, unit, core, c) for unit in plan.units]
    form = Form(
        arena_bytes=plan.arena_bytes,
        alignment=max(4, plan.alignment),
        state_bytes=plan.state_bytes,
        keeps_inputs=plan.keeps_inputs,
        shared_arena=shared_arena,
        input_rows=plan.arriving_input is not None,
    )
    starts = _start_constants(plan, c)
    constants = [*starts.values(), *(constant for step in steps for constant in step.code.constants)]
    stems = sorted({stem for step in steps for stem in step.code.runtime})
    runtime = {f"runtime/{name}": content for name, content in runtime_files(stems, core.isa).items()}
    features = feature_part(model, plan.graph, core.isa)
    headers = [f'"{stem}.h"' for stem in stems if f"runtime/{stem}.h" in runtime]
    functions = [function for step in steps for function in step.code.assembler]
    in_assembler = assembler.assembler_files(functions, model.name, c, core.name, _FEATURES.get(core.isa, ""))
    if in_assembler:
        headers.append(f'"{c}_kernels.h"')
    layers, spans, rows = _layer_rows(plan, c)
    of_model = {
        **library_files(model, plan.graph, form, len(plan.layers)),
        **info_file(
            model,
            plan.graph,
            runtime="aot",
            selftest_crc=selftest_crc,
            layers=layers,
            spans=spans,
            rows=rows,
            input_rows=form.input_rows,
        ),
        **in_assembler,
        f"{c}.c": _model_c(plan, model, core, form, steps, starts, headers),
        f"{c}_data.c": render("model_data.c.j2", folder=FOLDER, **names(model), constants=_bodies(constants)),
        f"{c}_data.h": render(
            "model_data.h.j2",
            folder=FOLDER,
            **names(model),
            constants=_declarations(constants),
            total_bytes=sum(constant.values.nbytes for constant in constants),
        ),
    }
    return ModelPart(
        "aot",
        model,
        {**runtime, **features.files, **{f"model/{name}": content for name, content in of_model.items()}},
        tuple(LayerRow(p.layer.name, tensors_text(p.layer.outputs), p.kernel.name) for p in plan.layers),
        plan.arena_bytes,
        alignment=form.alignment,
        state_bytes=plan.state_bytes,
        has_input_ranges=bool(ranges_text(plan.graph)),
        window_bytes=features.window_bytes,
        listens=features.listens,
        has_rows=bool(rows),
    )


def _emit(plan: Plan, unit: PlanUnit, core: Core, c: str) -> _Step:
    layer = unit.layer
    operands = Operands(
        inputs=tuple(_pointer(plan, tensor, const=not tensor.is_variable) for tensor in layer.inputs),
        outputs=tuple(_pointer(plan, tensor, const=False) for tensor in layer.outputs),
        scratch=f"({_place('arena', unit.scratch)})" if unit.scratch else "",
        prefix=f"{c}_l{unit.first:02d}",
        first_step=unit.first if unit.group is not None else None,
    )
    return _Step(unit.first, unit, unit.kernel.emit(layer, core, operands))


def _pointer(plan: Plan, tensor: Tensor, *, const: bool) -> str:
    """An expression for the first element, in a function that has `arena` and, for a variable, `state`; for an input
    whose rows are given, `row`."""
    ctype = f"const {tensor.dtype.c_name}" if const else tensor.dtype.c_name
    if tensor is plan.arriving_input:
        return f"({ctype} *)row"
    return f"({ctype} *)({_place(_region(plan, tensor), plan.buffer_of(tensor.index))})"


def _region(plan: Plan, tensor: Tensor) -> str:
    """The memory that a tensor lies in."""
    return "state" if any(buffer.tensor == tensor.index for buffer in plan.state) else "arena"


def _place(region: str, buffer: Buffer) -> str:
    return f"{region} + {buffer.offset}"


def _regions(plan: Plan, step: _Step) -> list[str]:
    """Which memory a layer's code names."""
    tensors = (t for t in (*step.planned.layer.inputs, *step.planned.layer.outputs) if t is not plan.arriving_input)
    used = {_region(plan, tensor) for tensor in tensors} | ({"arena"} if step.planned.scratch else set())
    text = "\n".join(step.code.call)
    return [region for region in ("arena", "state") if region in used and re.search(rf"\b{region} \+", text)]


def _layer_rows(plan: Plan, c: str) -> tuple[list[str], list[str], list[str]]:
    """(initializers of te_layer_info, te_span and te_rows): where each layer's outputs lie. Without groups no rows."""
    owners = {"arena": f"{c}_arena", "state": f"{c}_own_state.bytes"}
    layers: list[str] = []
    spans: list[str] = []
    rows: list[str] = []
    for step, planned in enumerate(plan.layers):
        layer, group = planned.layer, plan.group_of(step)
        by_rows = None if group is None else group.rows[step - group.first]
        outputs = layer.outputs if by_rows is None else ()
        layers.append(f"{{{layer.index}, {len(outputs)}, spans + {len(spans)}}}, /* {layer.name} */")
        rows.append(_rows_text(by_rows, owners["arena"]))
        for tensor in outputs:
            buffer = plan.buffer_of(tensor.index)
            spans.append(f"{{{_place(owners[_region(plan, tensor)], buffer)}, {buffer.bytes}}}")
    return layers, spans or ["{0, 0}"], rows if plan.groups else []


def _rows_text(rows: RowsAt | None, arena: str) -> str:
    """The initializer of te_rows."""
    if rows is None:
        return "{0, 0, 0, 0, 0, 0, 0, 0}"
    numbers = (rows.row_bytes, rows.pitch, rows.rows, rows.first_rows, rows.call_rows, rows.silent, int(rows.whole))
    return f"{{{arena} + {rows.offset}, {', '.join(map(str, numbers))}}}"


def _model_c(
    plan: Plan,
    model: QuantizedModel,
    core: Core,
    form: Form,
    steps: Sequence[_Step],
    starts: Mapping[int, Constant],
    headers: Sequence[str],
) -> bytes:
    c = c_name(model.name)
    included = {_include(name) for step in steps for name in step.code.includes}
    tensors = (t for step in steps for t in (*step.planned.layer.inputs, *step.planned.layer.outputs))
    if any(tensor.dtype is DType.BOOL for tensor in tensors):
        included.add("<stdbool.h>")
    own = {f'"{c}_data.h"', '"te_section.h"', *headers}
    shared = _shared_functions(steps)
    regions = ["arena", "state"] if plan.state_bytes else ["arena"]
    has_state = bool(plan.state_bytes)
    return render(
        "model.c.j2",
        folder=FOLDER,
        **names(model),
        core=core.name,
        arena_bytes=plan.arena_bytes,
        state_bytes=plan.state_bytes,
        shared_arena=form.shared_arena,
        buffers=[_buffer_row(buffer) for buffer in sorted(plan.buffers, key=lambda b: (b.offset, b.first))],
        state=[_buffer_row(buffer) for buffer in plan.state],
        system_headers=sorted({"<stdint.h>"} | {name for name in included if name.startswith("<")}),
        own_headers=sorted(own | {name for name in included if name.startswith('"')}),
        layers=[_layer_values(plan, step, shared[step.number], c, _regions(plan, step)) for step in steps],
        parameters=", ".join(f"uint8_t *{region}" for region in regions),
        unused=[region for region in regions if not any(region in _regions(plan, step) for step in steps)],
        own_memory=f"{c}_arena, {c}_own_state.bytes" if has_state else f"{c}_arena",
        own_memory_in=f"{c}_arena, &{c}_own_state" if has_state else f"{c}_arena",
        in_arguments=in_arguments(c, form),
        inputs=[_border_values(plan, t) for t in plan.graph.input_tensors() if t is not plan.arriving_input],
        rows=_rows_values(plan),
        outputs=[_border_values(plan, tensor) for tensor in plan.graph.output_tensors()],
        variables=[
            _variable_values(plan, tensor, starts.get(key))
            for key, tensor in sorted(plan.graph.tensors.items())
            if _is_kept(tensor)
        ],
        labels=class_labels(model, plan.graph),
    )


def _shared_functions(steps: Sequence[_Step]) -> dict[int, list[str]]:
    """By step the text of each function that layers share, at the first layer that names it."""
    texts: dict[str, str] = {}
    found: dict[int, list[str]] = {step.number: [] for step in steps}
    for step in steps:
        for function in step.code.shared:
            if function.name not in texts:
                found[step.number].append(function.text.strip("\n"))
            if texts.setdefault(function.name, function.text) != function.text:
                raise InternalError(f"two functions that layers share have the name `{function.name}`")
    return found


def _include(name: str) -> str:
    """A header as it stands behind #include; own headers in quotes."""
    if name[:1] in '<"':
        return name
    return f'"{name}"' if name.startswith("te_") else f"<{name}>"


def _buffer_row(buffer: Buffer) -> str:
    return f"{buffer.offset:8d}  {buffer.bytes:8d}  {buffer.first:4d}-{buffer.last:<4d}  {comment_text(buffer.name)}"


def _inside(plan: Plan, unit: PlanUnit) -> list[str]:
    """What a group runs, row by row, for a comment."""
    if unit.group is None:
        return []
    lines = [f"one stream of rows, {len(unit.group.calls)} calls:"]
    for step, planned in enumerate(plan.layers[unit.first : unit.last + 1], start=unit.first):
        lines.append(f"  step {step}: {planned.layer.name} to {tensors_text(planned.layer.outputs)}")
    return lines


def _layer_values(plan: Plan, step: _Step, shared: Sequence[str], c: str, regions: Sequence[str]) -> dict[str, Any]:
    layer = step.planned.layer
    comments = [
        f"in:     {tensors_text(layer.inputs)}",
        f"out:    {tensors_text(layer.outputs)}",
        f"kernel: {step.planned.kernel.name}, {layer.macs} MACs",
        *_inside(plan, step.planned),
    ]
    tells = step.planned.group is not None
    taking = ["const void *row"] * (plan.arriving_input in layer.inputs and tells)
    telling = ["void (*done)(void *context, uint32_t layer)", "void *context"] * tells
    if step.planned.scratch:
        comments.append(f"scratch: {step.planned.scratch.bytes} bytes at {step.planned.scratch.offset}")
    return {
        "operator": layer.name,
        "index": layer.index,
        "step": step.number,
        "tells": tells,
        "takes": bool(taking),
        "function": f"{c}_run_{step.number:02d}_{layer.name}",
        "parameters": ", ".join([*(f"uint8_t *{region}" for region in regions), *taking, *telling]) or "void",
        "arguments": ", ".join([*regions, *(["row"] * len(taking)), *(["done", "context"] * tells)]),
        "comments": comments,
        "definitions": [text for text in (*shared, step.code.functions.strip("\n")) if text],
        "call": step.code.call,
    }


def _border_values(plan: Plan, tensor: Tensor) -> dict[str, str]:
    """An input or output, and where it lies in memory of the caller."""
    try:
        buffer = plan.buffer_of(tensor.index)
    except KeyError:
        raise ModelError(f"input or output `{tensor.name}` of the model is a constant") from None
    region = {"arena": "(uint8_t *)arena", "state": "state->bytes"}[_region(plan, tensor)]
    return {"name": comment_text(tensor.name), "place": _place(region, buffer)}


def _rows_values(plan: Plan) -> dict[str, Any]:
    """An input whose rows are given: what a row is, and where it is kept how far the stream has come.

    Raises: ModelError where an output lies there, which is set back when all is computed
    """
    if plan.arriving_input is None:
        return {}
    scratch = plan.units[0].scratch
    assert scratch is not None
    state = scratch.offset + scratch.bytes - STATE_BYTES
    for tensor in plan.graph.output_tensors():
        output = plan.buffer_of(tensor.index)
        if output.offset < state + STATE_BYTES and state < output.offset + output.bytes:
            raise ModelError(
                f"the input of model `{plan.graph.name}` cannot arrive in rows: output `{tensor.name}` lies where is "
                "kept how far the stream has come",
                hint="leave out `--input rows`",
            )
    return {**input_rows(plan.graph), "state": state, "state_bytes": STATE_BYTES}


def _is_kept(tensor: Tensor) -> bool:
    return tensor.is_variable and tensor.dtype is not DType.RESOURCE


def _start_bytes(tensor: Tensor) -> npt.NDArray[np.uint8]:
    """What a variable holds before the first inference, byte by byte."""
    if tensor.start is None:
        return np.full(tensor.bytes, tensor.start_byte, np.uint8)
    return np.frombuffer(tensor.start.tobytes(), np.uint8)


def _start_constants(plan: Plan, c: str) -> dict[int, Constant]:
    """By the keys of variables the bytes they start with, where these are not all the same."""
    found: dict[int, Constant] = {}
    for key, tensor in sorted(plan.graph.tensors.items()):
        if _is_kept(tensor):
            values = _start_bytes(tensor)
            if np.any(values != values[0]):
                found[key] = Constant(f"{c}_start{len(found):02d}", "uint8_t", values, 1, "start of a variable")
    return found


def _variable_values(plan: Plan, tensor: Tensor, start: Constant | None) -> dict[str, Any]:
    """A variable with its start value: one byte for all of it, or an expression for byte `i`."""
    buffer = plan.buffer_of(tensor.index)
    return {
        "name": comment_text(tensor.name),
        "offset": buffer.offset,
        "bytes": buffer.bytes,
        "value": int(_start_bytes(tensor)[0]) if start is None else f"{start.name}[i]",
    }


def _declarations(constants: Sequence[Constant]) -> list[dict[str, Any]]:
    return [
        {
            "ctype": constant.ctype,
            "name": constant.name,
            "length": constant.values.size,
            "align": constant.align,
            "comment": f" /* {comment_text(constant.comment, 80)} */" if constant.comment else "",
        }
        for constant in constants
    ]


def _bodies(constants: Sequence[Constant]) -> list[dict[str, Any]]:
    return [
        {
            "ctype": constant.ctype,
            "name": constant.name,
            "length": constant.values.size,
            "body": c_values(constant.values, constant.ctype),
        }
        for constant in constants
    ]
