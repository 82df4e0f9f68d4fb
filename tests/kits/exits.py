"""Networks with two answers, and with an early exit, made without TensorFlow."""

from __future__ import annotations

from kits.net import Net, weights
from tinyedge.train.exit_file import with_early_exit

CLASSES = 5
CHANNELS = 8


def two_answers() -> bytes:
    """A convolution whose means a side head reads, a second one, and an end of the same kind."""
    net = Net()
    source = net.input((1, 6, 6, 4))
    first = net.conv(source, weights(1, CHANNELS, 3, 3, 4) // 8, activation="relu", stride=2)
    side = net.softmax(net.fully_connected(net.mean(first), weights(2, CLASSES, CHANNELS)))
    second = net.conv(first, weights(3, CHANNELS, 3, 3, CHANNELS) // 8, activation="relu")
    last = net.softmax(net.fully_connected(net.mean(second), weights(4, CLASSES, CHANNELS)))
    return net.builder.build(net.inputs, [last.key, side.key])


def early_exit(threshold: int) -> bytes:
    """The same as one network that may stop at its side head."""
    return with_early_exit(two_answers(), threshold)
