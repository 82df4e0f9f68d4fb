"""Small float .tflite models for tests, with the habits of converters: open batches, shapes that are computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kits.tflite_builder import TfliteBuilder
from tinyedge.convert import flatbuffer

Floats = npt.NDArray[np.float32]
SHAPE = (6, 6, 2)
CLASSES = 3


def drawn(*shape: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class FloatNet:
    """A chain of float operators; `build` gives the file."""

    def __init__(self, shape: Sequence[int] = (1, *SHAPE)) -> None:
        self.builder = TfliteBuilder()
        self.first = self.last = self.tensor(*shape, name="input")
        self.shape = tuple(shape)

    def tensor(self, *shape: int, name: str = "", data: npt.NDArray[np.generic] | None = None) -> int:
        kind = "float32" if data is None else data.dtype.name
        return self.builder.tensor(shape, kind, name=name, data=data)

    def constant(self, data: npt.NDArray[np.generic]) -> int:
        return self.tensor(*data.shape, data=data)

    def put(
        self, operator: str, others: Sequence[int], shape: Sequence[int], name: str = "", **options: object
    ) -> FloatNet:
        """An operator on the last tensor and `others`."""
        out = self.tensor(*shape, name=name or operator)
        self.builder.operator(operator, [self.last, *others], [out], **options)
        self.last, self.shape = out, tuple(shape)
        return self

    def conv(self, channels: int = 4, name: str = "conv") -> FloatNet:
        _, height, width, depth = self.shape
        filters = self.constant(drawn(channels, 3, 3, depth, seed=channels) / 4)
        bias = self.constant(drawn(channels, seed=1) / 10)
        options = {"padding": "same", "stride_w": 1, "stride_h": 1, "fused_activation_function": "relu"}
        return self.put("conv_2d", [filters, bias], (1, height, width, channels), name, **options,
                        dilation_w_factor=1, dilation_h_factor=1)  # fmt: skip

    def flat_by_shape(self) -> FloatNet:
        """A reshape to [batch, -1] whose batch is computed: SHAPE, STRIDED_SLICE, PACK."""
        count = int(np.prod(self.shape))
        builder = self.builder
        shape, batch, target = (builder.tensor(size, "int32") for size in ([len(self.shape)], [], [2]))
        builder.operator("shape", [self.last], [shape], out_type=2)
        ends = [self.constant(np.array([value], np.int32)) for value in (0, 1, 1)]
        builder.operator("strided_slice", [shape, *ends], [batch], shrink_axis_mask=1)
        rest = builder.tensor([], "int32", data=np.array(count, np.int32))
        builder.operator("pack", [batch, rest], [target], values_count=2, axis=0)
        return self.put("reshape", [target], (1, count), "flat")

    def dense(self, units: int = CLASSES, name: str = "dense") -> FloatNet:
        weights = self.constant(drawn(units, self.shape[-1], seed=units) / 8)
        return self.put("fully_connected", [weights, -1], (1, units), name)

    def softmax(self) -> FloatNet:
        return self.put("softmax", [], self.shape, "answer", beta=1.0)

    def build(self, *, open_batch: bool = False) -> bytes:
        data = self.builder.build([self.first], [self.last])
        if not open_batch:
            return data
        model = flatbuffer.unpack(data)
        tensor = model.subgraphs[0].tensors[self.first]
        tensor.shapeSignature = [-1, *tensor.shape[1:]]
        return flatbuffer.pack(model)


def float_cnn() -> bytes:
    """conv, reshape by shape arithmetic, dense, softmax; any batch."""
    return FloatNet().conv().flat_by_shape().dense().softmax().build(open_batch=True)


def write_data(path: Path, count: int = 30, shape: Sequence[int] = SHAPE, classes: int | None = CLASSES) -> Path:
    """A .npz of samples, and of labels when there are `classes`."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"x": drawn(count, *shape, seed=5)}
    if classes is not None:
        arrays["labels"] = np.arange(count) % classes
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path
