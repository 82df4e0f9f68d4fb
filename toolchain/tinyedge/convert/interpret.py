"""Float .tflite models run by LiteRT, which is there wherever tinyedge is; in the child process alone: it may crash."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tinyedge.convert import flatbuffer
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array


class Interpreter:
    """One model. All its tensors can be read after a run. Raises: ModelError when LiteRT refuses the model."""

    def __init__(self, tflite: bytes) -> None:
        from ai_edge_litert import interpreter

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that keeping all tensors takes memory
                self._run = interpreter.Interpreter(
                    model_content=tflite,
                    experimental_op_resolver_type=interpreter.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                    experimental_preserve_all_tensors=True,
                    num_threads=1,
                )
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"the .tflite is damaged: LiteRT says {_first(error)}", hint="export or download it again"
            ) from error
        self.inputs: list[Mapping[str, Any]] = self._run.get_input_details()
        self.outputs: list[Mapping[str, Any]] = self._run.get_output_details()

    def fix_batch(self, *, keep: bool = False) -> None:
        """Let every input have a batch of 1 (`keep`: its own), and work out all other shapes."""
        for detail in self.inputs:
            shape = [int(extent) for extent in detail["shape"]]
            signature = [int(extent) for extent in detail.get("shape_signature", shape)]
            if any(extent < 1 for extent in signature[1:]) and any(extent < 1 for extent in shape[1:]):
                raise ModelError(
                    f"input `{detail['name']}` has the open shape {signature}",
                    hint="export it with a fixed input shape",
                )
            if len(shape) > 1 and shape[0] != 1 and not keep:
                self._run.resize_tensor_input(detail["index"], [1, *shape[1:]])
        self._allocate()
        self.inputs, self.outputs = self._run.get_input_details(), self._run.get_output_details()

    def _allocate(self) -> None:
        try:
            self._run.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            told = str(error)
            if foreign := sorted(set(re.findall(r"Flex\w+", told))):
                raise ModelError(
                    f"it holds operators of TensorFlow that TensorFlow Lite does not have: "
                    f"{', '.join(f'`{name[4:]}`' for name in foreign)}",
                    hint="write the layer with others; recurrent layers with `unroll=True`",
                ) from error
            shapes = {detail["name"]: [int(extent) for extent in detail["shape"]] for detail in self.inputs}
            raise ModelError(
                f"LiteRT cannot run it with a batch of 1 ({shapes}): {_first(error)}",
                hint="export it with a batch of 1",
            ) from error

    def shapes(self) -> dict[int, tuple[int, ...]]:
        """Shapes of all tensors of the first subgraph, by their numbers."""
        return {
            detail["index"]: tuple(int(extent) for extent in detail["shape"])
            for detail in self._run.get_tensor_details()
        }

    def run_once(self) -> None:
        """Run it on zeros: what depends on no input has its value then."""
        self.run([np.zeros(detail["shape"], detail["dtype"]) for detail in self.inputs])

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """One inference. Shape: inputs as the model's, the batch of 1 included or not; outputs as the model's."""
        for detail, array in zip(self.inputs, inputs, strict=True):
            self._run.set_tensor(detail["index"], np.asarray(array, detail["dtype"]).reshape(detail["shape"]))
        try:
            self._run.invoke()
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"LiteRT cannot run it: {_first(error)}", hint="export it again") from error
        return [np.array(self._run.get_tensor(detail["index"])) for detail in self.outputs]

    def value(self, key: int) -> Array:
        """What a tensor holds after a run. Raises: ValueError when LiteRT kept nothing of it."""
        return np.array(self._run.get_tensor(key))


def run_all(tflite: bytes, inputs: Sequence[Array]) -> list[Array]:
    """The answers to all samples, for each output. Shape: inputs [N, ...] -> [N, *output shape without the batch]."""
    interpreter = Interpreter(tflite)
    interpreter.fix_batch()
    rows = [interpreter.run([array[i] for array in inputs]) for i in range(len(inputs[0]))]
    return [
        np.concatenate([row[output] if _has_batch(row[output]) else row[output][None] for row in rows])
        for output in range(len(interpreter.outputs))
    ]


def named_tensors(tflite: bytes) -> dict[str, int]:
    """Tensors by their names; a name that several have says nothing."""
    model = flatbuffer.unpack(tflite)
    found: dict[str, int] = {}
    twice = set()
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        name = flatbuffer.text(tensor.name)
        twice |= {name} & found.keys()
        found[name] = index
    return {name: index for name, index in found.items() if name not in twice}


def _has_batch(array: Array) -> bool:
    return array.ndim > 0 and len(array) == 1


def _first(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
