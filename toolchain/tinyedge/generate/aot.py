"""The model compiled ahead of time: a plan becomes te_model.c, its constants te_model_data.c, its kernels runtime/ and,
those in assembler, te_model_kernels.S.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import Buffer, Plan, PlannedLayer, QuantizedModel
from tinyedge.boards import Core
from tinyedge.errors import InternalError, ModelError
from tinyedge.generate import assembler
from tinyedge.generate.part import LayerRow, ModelPart, ranges_text, tensor_values, tensors_text
from tinyedge.generate.render import c_values, comment_text, render
from tinyedge.graph.ir import DType, Tensor
from tinyedge.kernels.contract import Code, Constant, Operands
from tinyedge.kernels.sources import runtime_files

ARENA = "te_model_arena"


@dataclass(frozen=True)
class _Step:
    """A planned layer with its C."""

    number: int
    planned: PlannedLayer
    code: Code


def generate_aot(plan: Plan, model: QuantizedModel, core: Core, *, selftest_crc: int) -> ModelPart:
    """The files of the ahead-of-time runtime.

    selftest_crc  CRC-32 (zlib's) of all outputs for the self-test input that te_model.h describes

    Raises: ModelError when the graph has no operator, or an input or output that is not in the arena
    """
    if not plan.layers:
        raise ModelError(f"model `{model.name}` has no operator to run")
    steps = [_emit(plan, planned, number, core) for number, planned in enumerate(plan.layers)]
    starts = _start_constants(plan)
    constants = [*starts.values(), *(constant for step in steps for constant in step.code.constants)]
    stems = sorted({stem for step in steps for stem in step.code.runtime})
    runtime = {f"runtime/{name}": content for name, content in runtime_files(stems, core.isa).items()}
    headers = [f'"{stem}.h"' for stem in stems if f"runtime/{stem}.h" in runtime]
    functions = [function for step in steps for function in step.code.assembler]
    in_assembler = assembler.assembler_files(functions, model.name, core.name)
    if in_assembler:
        headers.append(f'"{assembler.HEADER}"')
    files = {
        **runtime,
        **{f"model/{name}": content for name, content in in_assembler.items()},
        "model/te_model.c": _model_c(plan, model, core, steps, starts, headers, selftest_crc),
        "model/te_model_config.h": render(
            "te_model_config.h.j2",
            model=model.name,
            layer_count=len(steps),
            input_ranges=ranges_text(plan.graph),
        ),
        "model/te_model_data.c": render("te_model_data.c.j2", model=model.name, constants=_bodies(constants)),
        "model/te_model_data.h": render(
            "te_model_data.h.j2",
            model=model.name,
            constants=_declarations(constants),
            total_bytes=sum(constant.values.nbytes for constant in constants),
        ),
    }
    rows = tuple(LayerRow(p.layer.name, tensors_text(p.layer.outputs), p.kernel.name) for p in plan.layers)
    return ModelPart("aot", files, rows, plan.arena_bytes)


def _emit(plan: Plan, planned: PlannedLayer, number: int, core: Core) -> _Step:
    layer = planned.layer
    operands = Operands(
        inputs=tuple(_pointer(plan, tensor, const=not tensor.is_variable) for tensor in layer.inputs),
        outputs=tuple(_pointer(plan, tensor, const=False) for tensor in layer.outputs),
        scratch=f"({_address(planned.scratch)})" if planned.scratch else "",
        prefix=f"te_model_l{number:02d}",
    )
    return _Step(number, planned, planned.kernel.emit(layer, core, operands))


def _pointer(plan: Plan, tensor: Tensor, *, const: bool) -> str:
    ctype = f"const {tensor.dtype.c_name}" if const else tensor.dtype.c_name
    return f"({ctype} *)({_address(plan.buffer_of(tensor.index))})"


def _address(buffer: Buffer) -> str:
    return f"{ARENA} + {buffer.offset}"


def _model_c(
    plan: Plan,
    model: QuantizedModel,
    core: Core,
    steps: Sequence[_Step],
    starts: Mapping[int, Constant],
    headers: Sequence[str],
    selftest_crc: int,
) -> bytes:
    included = {_include(name) for step in steps for name in step.code.includes}
    tensors = (t for step in steps for t in (*step.planned.layer.inputs, *step.planned.layer.outputs))
    if any(tensor.dtype is DType.BOOL for tensor in tensors):
        included.add("<stdbool.h>")
    own = {'"te_model_config.h"', '"te_model_data.h"', *headers}
    shared = _shared_functions(steps)
    layers = []
    spans: list[Buffer] = []
    for step in steps:
        outputs = [plan.buffer_of(tensor.index) for tensor in step.planned.layer.outputs]
        layers.append(_layer_values(step, shared[step.number], first_span=len(spans), span_count=len(outputs)))
        spans += outputs
    return render(
        "te_model.c.j2",
        model=model.name,
        core=core.name,
        digest=hashlib.sha256(model.tflite).hexdigest()[:16],
        arena_bytes=plan.arena_bytes,
        alignment=max(4, *(step.planned.kernel.alignment for step in steps)),
        buffers=[{"row": _buffer_row(buffer)} for buffer in sorted(plan.buffers, key=lambda b: (b.offset, b.first))],
        system_headers=sorted({"<stdint.h>"} | {name for name in included if name.startswith("<")}),
        own_headers=sorted(own | {name for name in included if name.startswith('"')}),
        layers=layers,
        inputs=[_tensor_values(plan, tensor) for tensor in plan.graph.input_tensors()],
        outputs=[_tensor_values(plan, tensor) for tensor in plan.graph.output_tensors()],
        spans=[{"offset": span.offset, "bytes": span.bytes} for span in spans],
        selftest_crc=f"0x{selftest_crc:08x}u",
        variables=[
            _variable_values(plan, tensor, starts.get(key))
            for key, tensor in sorted(plan.graph.tensors.items())
            if _is_kept(tensor)
        ],
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


def _layer_values(step: _Step, shared: Sequence[str], *, first_span: int, span_count: int) -> dict[str, Any]:
    layer = step.planned.layer
    comments = [
        f"in:     {tensors_text(layer.inputs)}",
        f"out:    {tensors_text(layer.outputs)}",
        f"kernel: {step.planned.kernel.name}, {layer.macs} MACs",
    ]
    if step.planned.scratch:
        comments.append(f"scratch: {step.planned.scratch.bytes} bytes at {step.planned.scratch.offset}")
    return {
        "operator": layer.name,
        "index": layer.index,
        "function": f"te_model_run_{step.number:02d}_{layer.name}",
        "comments": comments,
        "definitions": [text for text in (*shared, step.code.functions.strip("\n")) if text],
        "call": step.code.call,
        "span_count": span_count,
        "info": f"{{{layer.index}, {span_count}, spans + {first_span}}}",
    }


def _tensor_values(plan: Plan, tensor: Tensor) -> dict[str, Any]:
    try:
        buffer = plan.buffer_of(tensor.index)
    except KeyError:
        raise ModelError(f"input or output `{tensor.name}` of the model is a constant") from None
    return {"offset": buffer.offset, **tensor_values(tensor)}


def _is_kept(tensor: Tensor) -> bool:
    return tensor.is_variable and tensor.dtype is not DType.RESOURCE


def _start_bytes(tensor: Tensor) -> npt.NDArray[np.uint8]:
    """What a variable holds before the first inference, byte by byte."""
    if tensor.start is None:
        return np.full(tensor.bytes, tensor.start_byte, np.uint8)
    return np.frombuffer(tensor.start.tobytes(), np.uint8)


def _start_constants(plan: Plan) -> dict[int, Constant]:
    """By the keys of variables the bytes they start with, where these are not all the same."""
    found: dict[int, Constant] = {}
    for key, tensor in sorted(plan.graph.tensors.items()):
        if _is_kept(tensor):
            values = _start_bytes(tensor)
            if np.any(values != values[0]):
                found[key] = Constant(f"te_model_start{len(found):02d}", "uint8_t", values, 1, "start of a variable")
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
