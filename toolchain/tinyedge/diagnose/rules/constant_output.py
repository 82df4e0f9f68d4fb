"""TE217: an output that does not depend on any input."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

_STATEFUL = ("read_variable", "call_once", "random_uniform", "random_standard_normal", "multinomial")


def find(subject: Subject) -> Iterator[Found]:
    graph = subject.main
    stuck = {
        layer.operator.index for layer in subject.weighted if layer.graph is graph and layer.constant_channels().all()
    }
    moved = {*graph.inputs, *(tensor.index for tensor in graph.tensors if tensor.is_variable)}
    for operator in graph.operators:
        reads = bool(moved.intersection(operator.inputs))
        if operator.name in _STATEFUL or (reads and operator.index not in stuck):
            moved.update(operator.outputs)
    for key in graph.outputs:
        if key in moved:
            continue
        producer = graph.producer(key)
        why = (
            "no input reaches it"
            if not _reached(subject, key)
            else "the weights on the way to it are all zero, or as good as"
        )
        yield Found(why, 0, producer, graph.tensors[key])


def _reached(subject: Subject, key: int) -> bool:
    """Whether there is a way through the operators from an input."""
    pending, seen = [key], {key}
    while pending:
        at = pending.pop()
        if at in subject.main.inputs:
            return True
        producer = subject.main.producer(at)
        for source in () if producer is None else producer.inputs:
            if source >= 0 and source not in seen:
                seen.add(source)
                pending.append(source)
    return False


RULE = Rule(
    Explanation(
        "TE217",
        "constant output",
        "warning",
        "The output is the same whatever comes in: a layer collapsed in training (dead ReLUs, a learning rate that "
        "was too high, a calibration with zeros), or the wrong tensor was exported. On a device it looks like a "
        "sensor that does not work.",
        "It runs the model as it is.",
        "Compare the float model's outputs for two different samples before it is converted:\n\n"
        "    print(model(samples[:1]) - model(samples[1:2]))",
    ),
    find,
)
