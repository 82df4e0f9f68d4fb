"""Tensors put together and taken apart: in as few operators as can be, and in those that quantizer and device take.

One part taken of a concatenation, as the last step of a recurrent layer of which all are given, is that part.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert import flatbuffer
from tinyedge.graph.ir import Array

MOST_OPERANDS = 10
"""that TensorFlow Lite Micro's concatenation takes. Source: kMaxInputNum of its concatenation.cc"""
_SHAPES = ("reshape", "squeeze", "expand_dims")
"""operators that leave every element where it is"""
_MOST_ELEMENTS = 1 << 20
"""of a tensor that is looked at"""


def split_evenly(model: Any, graph: Any) -> None:
    """Let split_v, which the quantizer leaves in float, be a split where the parts are equal, else a slice for each."""
    operators = []
    for operator in graph.operators:
        axis = None
        if flatbuffer.operator_name(model, operator) == "split_v":
            axis = flatbuffer.constant(model, graph.tensors[int(operator.inputs[2])])
        if axis is None:
            operators.append(operator)
            continue
        source, place = int(operator.inputs[0]), int(axis.ravel()[0])
        shapes = [[int(extent) for extent in graph.tensors[int(key)].shape] for key in operator.outputs]
        if all(shape == shapes[0] for shape in shapes):
            operator.opcodeIndex = flatbuffer.code_of(model, schema.BuiltinOperator.SPLIT)
            operator.builtinOptions, operator.builtinOptionsType = (
                schema.SplitOptionsT(),
                schema.BuiltinOptions.SplitOptions,
            )
            operator.builtinOptions.numSplits = len(shapes)
            operator.inputs = [int(operator.inputs[2]), source]
            operators.append(operator)
            continue
        first = [0] * len(shapes[0])
        for key, shape in zip(operator.outputs, shapes, strict=True):
            ends = [begin + extent for begin, extent in zip(first, shape, strict=True)]
            operators.append(_slice(model, graph, source, int(key), first, ends))
            first[place] = ends[place]
    graph.operators = operators


def _slice(model: Any, graph: Any, source: int, target: int, begin: list[int], end: list[int]) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex = flatbuffer.code_of(model, schema.BuiltinOperator.STRIDED_SLICE)
    operator.builtinOptions = schema.StridedSliceOptionsT()
    operator.builtinOptionsType = schema.BuiltinOptions.StridedSliceOptions
    operator.inputs = [
        source, *(flatbuffer.add_integers(model, graph, values) for values in (begin, end, [1] * len(begin)))
    ]  # fmt: skip
    operator.outputs = [target]
    return operator


def take_parts(model: Any, graph: Any) -> None:
    """Let what takes exactly one part of a concatenation be a reshape of that part."""
    makers = {int(key): operator for operator in graph.operators for key in operator.outputs}
    for operator in graph.operators:
        place = _taken(model, graph, operator)
        if place is None:
            continue
        source = int(operator.inputs[0])
        while source in makers and flatbuffer.operator_name(model, makers[source]) in _SHAPES:
            source = int(makers[source].inputs[0])
        if source not in makers or flatbuffer.operator_name(model, makers[source]) != "concatenation":
            continue
        part = _part(graph, makers[source], place)
        if part is not None:
            flatbuffer.as_reshape(model, graph, operator, part)


def group_parts(model: Any, graph: Any) -> None:
    """Write concatenations of many operands as concatenations of concatenations."""
    operators = []
    for operator in graph.operators:
        if flatbuffer.operator_name(model, operator) == "concatenation":
            while len(operator.inputs) > MOST_OPERANDS:
                groups = [
                    list(operator.inputs[at : at + MOST_OPERANDS])
                    for at in range(0, len(operator.inputs), MOST_OPERANDS)
                ]
                made = [_group(graph, operator, group) for group in groups if len(group) > 1]
                operators += made
                joined = [int(group.outputs[0]) for group in made]
                operator.inputs = joined + [key for group in groups if len(group) == 1 for key in group]
        operators.append(operator)
    graph.operators = operators


def _group(graph: Any, concatenation: Any, operands: list[int]) -> Any:
    """A concatenation of some operands of another."""
    whole = graph.tensors[int(concatenation.outputs[0])]
    axis = concatenation.builtinOptions.axis % len(whole.shape)
    tensor, operator = copy.copy(whole), copy.copy(concatenation)
    tensor.shape = [int(extent) for extent in whole.shape]
    tensor.shape[axis] = sum(int(graph.tensors[int(key)].shape[axis]) for key in operands)
    tensor.name = f"{flatbuffer.text(whole.name)}_{len(graph.tensors)}".encode()
    graph.tensors.append(tensor)
    operator.builtinOptions = copy.copy(concatenation.builtinOptions)
    operator.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.NONE
    operator.inputs, operator.outputs = operands, [len(graph.tensors) - 1]
    return operator


def _part(graph: Any, concatenation: Any, place: tuple[int, int]) -> int | None:
    """The operand of a concatenation that lies at (first element, number of elements)."""
    options, target = concatenation.builtinOptions, graph.tensors[int(concatenation.outputs[0])]
    axis = options.axis % len(target.shape)
    if math.prod(target.shape[:axis]) != 1 or options.fusedActivationFunction:
        return None
    start = 0
    for key in map(int, concatenation.inputs):
        count = math.prod(graph.tensors[key].shape)
        if (start, count) == place:
            return key
        start += count
    return None


def _taken(model: Any, graph: Any, operator: Any) -> tuple[int, int] | None:
    """(first element, number of elements) that an operator takes in one piece; None when it does something else."""
    name, options = flatbuffer.operator_name(model, operator), operator.builtinOptions
    if name not in ("gather", "strided_slice"):
        return None
    shape = [int(extent) for extent in graph.tensors[int(operator.inputs[0])].shape]
    stated = [flatbuffer.constant(model, graph.tensors[int(key)]) for key in operator.inputs[1:]]
    constants = [value for value in stated if value is not None]
    if len(constants) < len(stated) or math.prod(shape) > _MOST_ELEMENTS:
        return None
    places: Array = np.arange(math.prod(shape)).reshape(shape)
    if name == "gather" and not options.batchDims:
        taken = np.take(places, constants[0], axis=options.axis).reshape(-1)
    elif name == "strided_slice" and not (options.ellipsisMask or options.newAxisMask):
        taken = places[_slices(constants, options)].reshape(-1)
    else:
        return None
    whole = taken.size and np.array_equal(taken, np.arange(taken[0], taken[0] + taken.size))
    return (int(taken[0]), int(taken.size)) if whole else None


def _slices(constants: list[Any], options: Any) -> tuple[slice, ...]:
    """The pieces of each axis that a strided_slice takes."""
    found = []
    for axis, (begin, end, step) in enumerate(zip(*(value.reshape(-1).tolist() for value in constants), strict=True)):
        first = None if options.beginMask >> axis & 1 else begin
        stop = None if options.endMask >> axis & 1 else end
        shrinks = options.shrinkAxisMask >> axis & 1
        found.append(slice(begin, begin + 1 or None) if shrinks else slice(first, stop, step))
    return tuple(found)
