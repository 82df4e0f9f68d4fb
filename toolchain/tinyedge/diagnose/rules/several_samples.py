"""TE214: a model that computes several samples at once."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.rules.open_shape import FIXED_BATCH
from tinyedge.diagnose.words import counted

_FIRST_LAYERS = ("conv_2d", "depthwise_conv_2d", "max_pool_2d", "average_pool_2d")


def find(subject: Subject) -> Iterator[Found]:
    """Only images have a batch for certain: [4, 10] may as well be four rows of one sample."""
    graph = subject.main
    for key in graph.inputs:
        tensor = graph.tensors[key]
        if len(tensor.shape) != 4 or tensor.shape[0] < 2:
            continue
        pending, images = [key], False
        while pending and not images:
            readers = graph.consumers(pending.pop())
            images = any(reader.name in _FIRST_LAYERS for reader in readers)
            pending += [out for reader in readers if reader.name in ("quantize", "pad") for out in reader.outputs]
        if images:
            yield Found(f"its shape {list(tensor.shape)} is of {counted(tensor.shape[0], 'sample')}", tensor=tensor)


RULE = Rule(
    Explanation(
        "TE214",
        "batch of several",
        "warning",
        "Every buffer is as many times larger as there are samples, and the first result comes when all are done. A "
        "device gets one sample at a time; the same weights run a batch of 1 as well.",
        "It runs the batch as the file says.",
        FIXED_BATCH,
    ),
    find,
)
