"""An ONNX file read with care: sizes, operators and side files are checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.convert.onnx.reference import mended_operators
from tinyedge.errors import ModelError

_MOST_BYTES = 1 << 30
_MOST_ELEMENTS = 1 << 26
_SCALED_OPSET, _RESIZE_OPSET = 19, 11
_OPEN_HINT = "export it with fixed shapes and a batch of 1"


def load_model(path: Path) -> Any:
    """The model with its weights, and a batch of 1. Raises: ModelError."""
    import onnx

    if path.stat().st_size > _MOST_BYTES:
        raise ModelError(f"the file has {path.stat().st_size:,} B; at most {_MOST_BYTES:,} B are read")
    try:
        model = onnx.load_model(str(path), load_external_data=False)
    except Exception as error:  # of protobuf, whose errors have no common kind
        raise ModelError(f"the file is damaged or cut short: {_first(error)}", hint="export it again") from error
    if not model.graph.node:
        raise ModelError("the file is damaged or cut short: it has no nodes", hint="export it again")
    _load_external(model, path)
    for entry in model.graph.output:
        entry.type.tensor_type.shape.SetInParent()  # the checker asks for one, which is worked out anew anyway
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise ModelError(f"it is no valid ONNX model: {_first(error)}", hint="export it again") from error
    model = _as_the_reference_knows(model)
    fix_batch(model)
    return model


def _as_the_reference_knows(model: Any) -> Any:
    """A model of an operator set that ONNX's reference evaluator has all of: QuantizeLinear, Resize."""
    import onnx

    version = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    kinds = {node.op_type for node in model.graph.node}
    older = "DequantizeLinear" in kinds or "Upsample" in kinds or ("Resize" in kinds and version < _RESIZE_OPSET)
    if not older or version >= _SCALED_OPSET:
        return model
    try:
        return onnx.version_converter.convert_version(model, _SCALED_OPSET)
    except Exception as error:
        raise ModelError(
            f"its operator set {version} cannot be brought to {_SCALED_OPSET}: {_first(error)}",
            hint=f"export it with operator set {_SCALED_OPSET}",
        ) from error


def _first(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]


def external_files(path: Path) -> list[Path]:
    """The files beside a model that hold its weights, there or not; none of a damaged model."""
    import onnx

    try:
        model = onnx.load_model(str(path), load_external_data=False)
    except Exception:  # of protobuf; who loads it tells
        return []
    return sorted({path.parent / name for name in _locations(model)})


def _locations(model: Any) -> list[str]:
    import onnx

    external = [entry for entry in model.graph.initializer if onnx.external_data_helper.uses_external_data(entry)]
    return [{entry.key: entry.value for entry in tensor.external_data}.get("location", "") for tensor in external]


def _load_external(model: Any, path: Path) -> None:
    """Weights that lie in files beside the model. Raises: ModelError that names those that are missing."""
    import onnx

    inside = path.parent.resolve()
    files = {name: path.parent / name for name in _locations(model)}
    missing = [name for name, file in files.items() if not file.is_file() or file.resolve().parent != inside]
    if missing:
        told = ", ".join(f"`{name}`" for name in sorted(missing))
        raise ModelError(
            f"its weights lie in {told} beside it, which is not there",
            hint="copy that file too; or save the model as one: `onnx.save_model(onnx.load(path), new_path)`",
        )
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Exception as error:
        raise ModelError(f"the file with its weights is damaged: {_first(error)}", hint="copy it again") from error


def fix_batch(model: Any) -> None:
    """Let the batch of every input be 1 where it is open. Raises: ModelError for other open axes."""
    constants = {tensor.name for tensor in model.graph.initializer}
    batches = batch_axes(model)
    for entry in model.graph.input:
        if entry.name in constants:
            continue
        dims = entry.type.tensor_type.shape.dim
        shown = [dim.dim_value or dim.dim_param or "?" for dim in dims]
        batch = batches[entry.name]
        for axis, dim in enumerate(dims):
            if dim.HasField("dim_value") and (dim.dim_value > 0 and (axis != batch or len(dims) == 1)):
                continue
            if axis != batch:
                raise ModelError(f"input `{entry.name}` has the open shape {shown}", hint=_OPEN_HINT)
            dim.Clear()
            dim.dim_value = 1
        elements = math.prod(dim.dim_value for dim in dims)
        if elements > _MOST_ELEMENTS:
            raise ModelError(
                f"input `{entry.name}` {shown} has {elements:,} elements; at most {_MOST_ELEMENTS:,} are taken",
                hint="export it with the shape that the device has",
            )
    for entry in (*model.graph.output, *model.graph.value_info):
        entry.type.tensor_type.ClearField("shape")


_KEPT_AXES = ("Identity", "Cast", "Dropout", "Relu", "QuantizeLinear", "DequantizeLinear")
"""operators behind which axes are what they were"""
_STATES = (5, 6)
"""inputs of a recurrent layer that have its state: [directions, batch, units]"""


def batch_axes(model: Any) -> dict[str, int]:
    """Which axis of each input is the batch: the first, but for what a recurrent layer reads as [time, batch, ...]."""
    found = {entry.name: 0 for entry in model.graph.input}
    axes = {entry.name: (entry.name, list(range(len(entry.type.tensor_type.shape.dim)))) for entry in model.graph.input}
    for node in model.graph.node:
        first = node.input[0] if node.input else ""
        attributes = {attribute.name: attribute for attribute in node.attribute}
        if node.op_type in ("LSTM", "GRU") and not ("layout" in attributes and attributes["layout"].i):
            for position in (0, *_STATES):
                name = node.input[position] if position < len(node.input) else ""
                if name in axes and len(axes[name][1]) == 3:
                    source, order = axes[name]
                    found[source] = order[1]
        elif first in axes and node.op_type in _KEPT_AXES:
            axes[node.output[0]] = axes[first]
        elif first in axes and node.op_type == "Transpose" and "perm" in attributes:
            source, order = axes[first]
            axes[node.output[0]] = (source, [order[axis] for axis in attributes["perm"].ints])
    return found


def input_specs(model: Any) -> list[tuple[str, tuple[int, ...], np.dtype[Any]]]:
    """(name, shape, type) of each input that is no constant."""
    import onnx

    constants = {tensor.name for tensor in model.graph.initializer}
    return [
        (
            entry.name,
            tuple(dim.dim_value for dim in entry.type.tensor_type.shape.dim),
            np.dtype(onnx.helper.tensor_dtype_to_np_dtype(entry.type.tensor_type.elem_type)),
        )
        for entry in model.graph.input
        if entry.name not in constants
    ]


def evaluate(model: Any, feeds: Sequence[np.ndarray[Any, Any]], *, inner: bool = False) -> dict[str, Any]:
    """What ONNX's reference evaluator computes: the outputs, with `inner` every value. Raises: ModelError."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    wanted = [entry.name for entry in model.graph.output]
    whole = model
    if inner:
        whole = onnx.ModelProto()
        whole.CopyFrom(model)
        wanted = list(dict.fromkeys(name for node in model.graph.node for name in node.output if name))
        del whole.graph.output[:]
        whole.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in wanted)
    names = [name for name, _, _ in input_specs(model)]
    try:
        results = ReferenceEvaluator(whole, new_ops=list(mended_operators())).run(
            None, dict(zip(names, feeds, strict=True))
        )
    except Exception as error:  # whatever an operator raises
        raise ModelError(f"ONNX's reference cannot run it: {_first(error)}", hint="export it again") from error
    return dict(zip(wanted, results, strict=True))
