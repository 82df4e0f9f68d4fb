"""A converted model with a second answer from a side head, made into one that stops there when that answer is sure.

What both answers need comes first, then a test of the side head's logits, then an `if`: one branch ends the side head,
the other computes the rest. All of it are operators of TensorFlow Lite, so that any runtime runs the file.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyedge.errors import ModelError

MOST_CLASSES = 255
"""which the test counts in int8"""
_LOWEST = -128
_COUNT_SCALE = 0.5
"""of the numbers that the test counts in: comparisons take scales below 1"""


def with_early_exit(tflite: bytes, threshold: int) -> bytes:
    """The model of two outputs, both of a softmax, as one with one output.

    threshold  steps of the logits of the second output, 0 to 254: it is given where the largest leads by more

    Raises: ModelError when the answers are not of the same type and scale, or there is nothing behind the side head
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    graph = model.subgraphs[0]
    last, side = (int(key) for key in graph.outputs)
    ending = next(each for each in graph.operators if side in each.outputs)
    logits = int(ending.inputs[0])
    front = _needed(graph, [logits])
    rest = [each for each in graph.operators if each not in front and each is not ending]
    if not _alike(graph.tensors[last], graph.tensors[side]) or not rest:
        raise ModelError(
            "the side head of `early_exit` and the end of the model do not answer in the same numbers",
            hint="end the model with a softmax",
        )
    made = {int(key) for each in rest for key in each.outputs}
    operands = sorted(
        {int(key) for each in rest for key in each.inputs if key >= 0 and not _is_constant(model, graph, key)} - made
    )
    inner = [
        _subgraph(model, graph, "answer_early", [ending], [logits, *operands], [side]),
        _subgraph(model, graph, "go_on", rest, [logits, *operands], [last]),
    ]
    editor = _Editor(model, graph)
    decided = editor.add_test(logits, threshold)
    options = schema.IfOptionsT()
    options.thenSubgraphIndex, options.elseSubgraphIndex = len(model.subgraphs), len(model.subgraphs) + 1
    editor.add("IF", [decided, logits, *operands], [last], "IfOptions", options)
    outer = _subgraph(model, graph, "main", [*front, *editor.operators], [int(key) for key in graph.inputs], [last])
    model.subgraphs = [outer, *model.subgraphs[1:], *inner]
    model.signatureDefs = []
    model.metadata = [each for each in model.metadata or [] if each.name != b"CONVERSION_METADATA"]
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def side_logits(tflite: bytes) -> bytes:
    """The model of two outputs with the logits of the second instead of its answer."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    graph = model.subgraphs[0]
    last, side = (int(key) for key in graph.outputs)
    ending = next(each for each in graph.operators if side in each.outputs)
    graph.operators = [each for each in graph.operators if each is not ending]
    graph.outputs = [last, int(ending.inputs[0])]
    model.signatureDefs = []
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _needed(graph: Any, keys: Iterable[int]) -> list[Any]:
    """The operators that tensors depend on, in their order."""
    needed, found = set(keys), []
    for operator in reversed(graph.operators):
        if needed.intersection(int(key) for key in operator.outputs):
            needed.update(int(key) for key in operator.inputs)
            found.append(operator)
    return found[::-1]


def _is_constant(model: Any, graph: Any, key: int) -> bool:
    data = model.buffers[graph.tensors[key].buffer].data
    return data is not None and len(data) > 0


def _alike(first: Any, second: Any) -> bool:
    """Whether the same bytes mean the same in both."""
    return first.type == second.type and all(
        np.array_equal(getattr(first.quantization, name), getattr(second.quantization, name))
        for name in ("scale", "zeroPoint")
    )


def _subgraph(
    model: Any, graph: Any, name: str, operators: Sequence[Any], inputs: Sequence[int], outputs: Sequence[int]
) -> Any:
    """Operators of a graph as one of their own, with the tensors they need; constants share their bytes."""
    from ai_edge_litert import schema_py_generated as schema

    places: dict[int, int] = {}
    made = schema.SubGraphT()
    made.name, made.tensors, made.operators = name.encode(), [], []

    def place(key: int) -> int:
        if key >= 0 and key not in places:
            places[key] = len(made.tensors)
            made.tensors.append(copy.deepcopy(graph.tensors[key]))
        return places.get(key, -1)

    made.inputs = [place(key) for key in inputs]
    for operator in operators:
        new = copy.copy(operator)
        new.inputs = [place(int(key)) for key in operator.inputs]
        new.outputs = [place(int(key)) for key in operator.outputs]
        made.operators.append(new)
    made.outputs = [place(key) for key in outputs]
    return made


class _Editor:
    """New tensors and operators of a graph."""

    def __init__(self, model: Any, graph: Any) -> None:
        self._model = model
        self._graph = graph
        self.operators: list[Any] = []

    def add_test(self, logits: int, threshold: int) -> int:
        """The operators that `graph.early_exit` describes. Returns the tensor that says whether to stop."""
        from ai_edge_litert import schema_py_generated as schema

        kinds, tensor = schema.TensorType, self._graph.tensors[logits]
        shape = [1, int(tensor.shape[-1])]
        scale, zero = float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0])
        keeping = schema.ReducerOptionsT()
        keeping.keepDims = True
        axis = self.tensor("exit/axis", [1], kinds.INT32, np.array([1], np.int32))
        top = self.tensor("exit/top", [1, 1], kinds.INT8, scale=scale, zero=zero)
        self.add("REDUCE_MAX", [logits, axis], [top], "ReducerOptions", keeping)
        lead = self.tensor("exit/lead", shape, kinds.INT8, scale=scale, zero=_LOWEST)
        self.add("SUB", [top, logits], [lead], "SubOptions", schema.SubOptionsT())
        limit = self._constant("exit/threshold", [1, 1], threshold, scale)
        near = self.tensor("exit/near", shape, kinds.BOOL)
        self.add("LESS_EQUAL", [lead, limit], [near], "LessEqualOptions", schema.LessEqualOptionsT())
        one, zeros = (
            self._constant("exit/one", shape, 1, _COUNT_SCALE),
            self._constant("exit/zero", shape, 0, _COUNT_SCALE),
        )
        counted = self.tensor("exit/counted", shape, kinds.INT8, scale=_COUNT_SCALE, zero=_LOWEST)
        self.add("SELECT_V2", [near, one, zeros], [counted], "SelectV2Options", schema.SelectV2OptionsT())
        count = self.tensor("exit/count", [1, 1], kinds.INT8, scale=_COUNT_SCALE, zero=_LOWEST)
        self.add("SUM", [counted, axis], [count], "ReducerOptions", keeping)
        decided = self.tensor("exit/decided", [1, 1], kinds.BOOL)
        alone = self._constant("exit/alone", [1, 1], 1, _COUNT_SCALE)
        self.add("LESS_EQUAL", [count, alone], [decided], "LessEqualOptions", schema.LessEqualOptionsT())
        return decided

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        kind: int,
        data: Any = None,
        scale: float | None = None,
        zero: int = 0,
    ) -> int:
        """A new tensor. Returns its index."""
        from ai_edge_litert import schema_py_generated as schema

        made = schema.TensorT()
        made.name, made.shape, made.type = name.encode(), list(shape), kind
        buffer = schema.BufferT()
        if data is not None:
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
        made.buffer = len(self._model.buffers)
        self._model.buffers.append(buffer)
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.array([scale], np.float32)
            made.quantization.zeroPoint = np.array([zero], np.int64)
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def _constant(self, name: str, shape: Sequence[int], value: int, scale: float) -> int:
        from ai_edge_litert import schema_py_generated as schema

        data = np.full(shape, _LOWEST + value, np.int8)
        return self.tensor(name, shape, schema.TensorType.INT8, data, scale, _LOWEST)

    def add(self, name: str, inputs: Sequence[int], outputs: Sequence[int], kind: str, options: Any) -> None:
        """A new operator behind those that were added before."""
        from ai_edge_litert import schema_py_generated as schema

        made = schema.OperatorT()
        made.opcodeIndex = self._code(getattr(schema.BuiltinOperator, name))
        made.inputs, made.outputs = list(inputs), list(outputs)
        made.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        made.builtinOptions = options
        self.operators.append(made)

    def _code(self, code: int) -> int:
        from ai_edge_litert import schema_py_generated as schema

        for index, known in enumerate(self._model.operatorCodes):
            if max(known.builtinCode, known.deprecatedBuiltinCode) == code:
                return index
        made = schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, 127), 1
        self._model.operatorCodes.append(made)
        return len(self._model.operatorCodes) - 1
