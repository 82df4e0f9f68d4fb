"""Small networks for images and spectrograms with a width and a depth, so that "the same net, smaller" is at hand.

model.py of a recipe calls one of them, and [model] of recipe.toml gives the multipliers:

    from tinyedge.train.architectures import depthwise_separable as build
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_STAGES = ((24, 1), (32, 2), (48, 2))
"""(channels, stride of the first block) of each stage at width 1"""
_STEM = 16
_MULTIPLE = 4
"""channels are multiples of it, as kernels compute so many at once"""
_SQUEEZE = 4
"""channels for each one of the squeezed"""


def depthwise_separable(input_shape: tuple[int, ...], classes: int, width: float = 1.0, depth: int = 1) -> Any:
    """Blocks of a depthwise and a pointwise convolution.

    width  multiplies the channels of every layer
    depth  blocks of each of three stages

    Source: Howard et al., "MobileNets" (2017)
    """

    def block(tensor: Any, channels: int, stride: int) -> Any:
        return _convolution(_depthwise(tensor, stride), channels, 1)

    return _network(input_shape, classes, width, depth, block)


def inverted_residual(
    input_shape: tuple[int, ...], classes: int, width: float = 1.0, depth: int = 1, expansion: int = 3
) -> Any:
    """Blocks that widen, filter and narrow again, around which values pass where shapes allow it.

    expansion  of the channels within a block

    Source: Sandler et al., "MobileNetV2" (2018)
    """
    from tf_keras import layers

    def block(tensor: Any, channels: int, stride: int) -> Any:
        before = int(tensor.shape[-1])
        wide = _depthwise(_convolution(tensor, before * expansion, 1), stride)
        narrow = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(channels, 1, use_bias=False)(wide))
        return layers.Add()([tensor, narrow]) if stride == 1 and before == channels else narrow

    return _network(input_shape, classes, width, depth, block)


def shuffled_groups(
    input_shape: tuple[int, ...], classes: int, width: float = 1.0, depth: int = 1, groups: int = 2
) -> Any:
    """Blocks whose pointwise convolutions see a group of the channels each, which are shuffled in between.

    groups  of the channels, which are a multiple of them

    Source: Zhang et al., "ShuffleNet" (2018)
    """
    from tf_keras import layers

    def pointwise(tensor: Any, channels: int) -> Any:
        found = layers.Conv2D(channels, 1, groups=groups, use_bias=False)(tensor)
        return layers.BatchNormalization(momentum=0.9)(found)

    def block(tensor: Any, channels: int, stride: int) -> Any:
        before = int(tensor.shape[-1])
        for count in (before, channels):
            if count % groups:
                raise ValueError(f"{count} channels are no multiple of the {groups} groups of `shuffled_groups`")
        mixed = _shuffled(layers.ReLU()(pointwise(tensor, channels)), groups)
        filtered = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(mixed)
        narrow = pointwise(layers.BatchNormalization(momentum=0.9)(filtered), channels)
        joined = layers.Add()([tensor, narrow]) if stride == 1 and before == channels else narrow
        return layers.ReLU()(joined)

    return _network(input_shape, classes, width, depth, block)


def squeeze_excite(input_shape: tuple[int, ...], classes: int, width: float = 1.0, depth: int = 1) -> Any:
    """Depthwise separable blocks whose channels are weighted by what the whole picture holds.

    Source: Hu, Shen and Sun, "Squeeze-and-excitation networks" (2018)
    """
    from tf_keras import layers

    def block(tensor: Any, channels: int, stride: int) -> Any:
        found = _convolution(_depthwise(tensor, stride), channels, 1)
        squeezed = layers.GlobalAveragePooling2D(keepdims=True)(found)
        squeezed = layers.Conv2D(_channels(channels / _SQUEEZE), 1, activation="relu")(squeezed)
        return layers.Multiply()([found, layers.Conv2D(channels, 1, activation="sigmoid")(squeezed)])

    return _network(input_shape, classes, width, depth, block)


def _network(
    input_shape: tuple[int, ...], classes: int, width: float, depth: int, block: Callable[[Any, int, int], Any]
) -> Any:
    """A stem, three stages of blocks, a mean over all places, and a softmax. Raises: ValueError."""
    from tf_keras import Input, Model, layers

    if len(input_shape) != 3:
        raise ValueError(f"these networks take [height, width, channels], the data is {list(input_shape)}")
    if width <= 0 or depth < 1:
        raise ValueError(f"`width` is {width:g} and `depth` {depth}; they must be above 0 and at least 1")
    source = Input(input_shape)
    tensor = _convolution(source, _channels(_STEM * width), 3)
    for channels, stride in _STAGES:
        for index in range(depth):
            tensor = block(tensor, _channels(channels * width), stride if index == 0 else 1)
    pooled = layers.GlobalAveragePooling2D()(tensor)
    return Model(source, layers.Dense(classes, activation="softmax", name="classes")(pooled))


def _shuffled(tensor: Any, groups: int) -> Any:
    """The channels of each group dealt out to all groups."""
    from tf_keras import layers

    height, width, channels = (int(extent) for extent in tensor.shape[1:])
    split = layers.Reshape((height * width, groups, channels // groups))(tensor)
    return layers.Reshape((height, width, channels))(layers.Permute((1, 3, 2))(split))


def _channels(count: float) -> int:
    """The nearest multiple of 4, at least 4.

    >>> _channels(24 * 0.7), _channels(1)
    (16, 4)
    """
    return max(_MULTIPLE, round(count / _MULTIPLE) * _MULTIPLE)


def _convolution(tensor: Any, channels: int, size: int) -> Any:
    from tf_keras import layers

    found = layers.Conv2D(channels, size, padding="same", use_bias=False)(tensor)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(found))


def _depthwise(tensor: Any, stride: int) -> Any:
    from tf_keras import layers

    found = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(tensor)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(found))
