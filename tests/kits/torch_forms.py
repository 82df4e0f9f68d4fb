"""One network as Keras writes it and as litert-torch does: the same weights, other operators around them.

litert-torch writes a strided convolution with padding as PAD and a VALID one, a first convolution of one channel as a
depthwise one, and puts the channels first before a mean or a flattening.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from kits.float_models import FloatNet, Floats, drawn

IMAGE = (8, 8, 1)
_FIRST = np.array([0, 3, 1, 2], np.int32)
_BORDER = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
Weights = Mapping[str, Floats]
"""Shape: a [8, 3, 3, 1], d [1, 3, 3, 8], p [16, 1, 1, 8], s [16, 3, 3, 16], one [5, 16], two [5, 64] with the channels
of the image first; each with its bias, `a_bias`"""


def drawn_weights() -> Weights:
    shapes = {
        "a": (8, 3, 3, 1), "d": (1, 3, 3, 8), "p": (16, 1, 1, 8), "s": (16, 3, 3, 16), "one": (5, 16), "two": (5, 64),
    }  # fmt: skip
    found = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        outputs = shape[-1] if name == "d" else shape[0]
        found[name] = drawn(*shape, seed=seed) / np.float32(np.sqrt(np.prod(shape) / outputs))
        found[f"{name}_bias"] = drawn(outputs, seed=seed) / 10
    return found


class _Net(FloatNet):
    def __init__(self, weights: Weights) -> None:
        super().__init__((1, *IMAGE))
        self.weights = weights

    def window(
        self, name: str, *, stride: int = 1, padding: str = "same", multiplier: int = 0, kernel: Floats | None = None
    ) -> None:
        """A convolution with a relu, depthwise where it has a multiplier."""
        kernel = self.weights[name] if kernel is None else kernel
        options: dict[str, object] = {"depth_multiplier": multiplier} if multiplier else {}
        height, width = (
            -(-extent // stride) if padding == "same" else (extent - size) // stride + 1
            for extent, size in zip(self.shape[1:3], kernel.shape[1:3], strict=True)
        )
        bias = self.weights[f"{name}_bias"]
        self.put(
            "depthwise_conv_2d" if multiplier else "conv_2d", [self.constant(kernel), self.constant(bias)],
            (1, height, width, len(bias)), name, padding=padding, stride_w=stride, stride_h=stride, dilation_w_factor=1,
            dilation_h_factor=1, fused_activation_function="relu", **options,
        )  # fmt: skip

    def padded(self) -> None:
        _, height, width, channels = self.shape
        self.put("pad", [self.constant(_BORDER)], (1, height + 2, width + 2, channels))

    def dense_with_bias(self, name: str, kernel: Floats) -> int:
        self.put("fully_connected", [self.constant(kernel), self.constant(self.weights[f"{name}_bias"])], (1, 5), name)
        return self.last


def keras_form(weights: Weights, *, same: bool) -> bytes:
    """Convolutions with SAME padding, or, to answer as the other form does, with a ZeroPadding2D before strides."""
    net = _Net(weights)
    for name, stride, multiplier in (("a", 2, 0), ("d", 1, 1), ("p", 1, 0), ("s", 2, 0)):
        if stride == 2 and not same:
            net.padded()
        net.window(name, stride=stride, padding="same" if same or stride == 1 else "valid", multiplier=multiplier)
    image, shape = net.last, net.shape
    axes = net.constant(np.array([1, 2], np.int32))
    net.put("mean", [axes], (1, 16), "pooled", keep_dims=False)
    first = net.dense_with_bias("one", weights["one"])
    net.last, net.shape = image, shape
    net.put("reshape", [net.constant(np.array([1, 64], np.int32))], (1, 64), "flat")
    kernel = weights["two"].reshape(5, 16, 2, 2).transpose(0, 2, 3, 1).reshape(5, 64)
    return net.builder.build([net.first], [first, net.dense_with_bias("two", np.ascontiguousarray(kernel))])


def torch_form(weights: Weights) -> bytes:
    net = _Net(weights)
    net.padded()
    kernel = np.ascontiguousarray(weights["a"].transpose(3, 1, 2, 0))
    net.window("a", stride=2, padding="valid", multiplier=8, kernel=kernel)
    net.window("d", multiplier=1)
    net.window("p")
    net.padded()
    net.window("s", stride=2, padding="valid")
    net.put("transpose", [net.constant(_FIRST)], (1, 16, 2, 2), "first")
    turned, shape = net.last, net.shape
    net.put("mean", [net.constant(np.array([2, 3], np.int32))], (1, 16), "pooled", keep_dims=False)
    first = net.dense_with_bias("one", weights["one"])
    net.last, net.shape = turned, shape
    net.put("reshape", [net.constant(np.array([1, 64], np.int32))], (1, 64), "flat")
    return net.builder.build([net.first], [first, net.dense_with_bias("two", weights["two"])])


TORCH_SCRIPT = """
import numpy as np, torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.d, self.p = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 16, 1)
        self.s = nn.Conv2d(16, 16, 3, stride=2, padding=1)
        self.one, self.two = nn.Linear(16, 5), nn.Linear(64, 5)
    def forward(self, x):
        x = torch.relu(self.p(torch.relu(self.d(torch.relu(self.a(x))))))
        x = torch.relu(self.s(x))
        return self.one(x.mean((2, 3))), self.two(torch.flatten(x, 1))
def build():
    net, stored = Net(), np.load(WEIGHTS)
    with torch.no_grad():
        for name in ("a", "d", "p", "s", "one", "two"):
            kernel = stored[name]
            if kernel.ndim == 4:
                kernel = kernel.transpose((3, 0, 1, 2) if name == "d" else (0, 3, 1, 2))
            layer = getattr(net, name)
            layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(kernel)))
            layer.bias.copy_(torch.from_numpy(stored[name + "_bias"]))
    return net
"""
"""the same network in PyTorch, with WEIGHTS the path of an .npz of them"""
