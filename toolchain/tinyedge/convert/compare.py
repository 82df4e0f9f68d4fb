"""A converted model against its source, on the same samples: differences, agreement, accuracies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinyedge.convert.values import real_values
from tinyedge.graph.ir import Array, DType, Graph, Tensor
from tinyedge.measure.answers import accuracy
from tinyedge.measure.oracle import oracle_available, run_oracle
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.optimize import settle_graph
from tinyedge.train.heads import THRESHOLD, Head, Kind, canonical_targets


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was found; accuracies and labels are those of the first output, None where there are none."""

    largest_difference: float
    largest_value: float
    agreement: float | None = None
    float_accuracy: float | None = None
    int8_accuracy: float | None = None
    labels: Array | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def compare(
    graph: Graph,
    tflite: bytes,
    samples: Sequence[Array],
    wanted: Sequence[Array],
    floats: Sequence[Array],
    labels: Array | None,
) -> Comparison:
    """Run the model on all samples and compare.

    samples  as the device gets them, [N, *input shape] for each input
    wanted   what the source answers, [N, ...] for each output; `floats` what the float .tflite answers

    Raises: ModelError when labels do not fit the first output
    """
    answers = [
        real_values(array, tensor)
        for array, tensor in zip(_run(graph, tflite, samples), graph.output_tensors(), strict=True)
    ]
    difference = max(_largest(_flat(a) - _flat(b)) for a, b in zip(answers, wanted, strict=True))
    largest = max(_largest(_flat(array)) for array in wanted)
    return _judge(graph, answers[0], wanted[0], labels, Comparison(difference, largest))


def _flat(array: Array) -> Array:
    return array.reshape(len(array), -1).astype(np.float64)


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))


def _run(graph: Graph, tflite: bytes, samples: Sequence[Array]) -> list[Array]:
    """What the model answers, by the oracle where it is there, else by the references; [N, *output shape] each."""
    if oracle_available():
        rows = run_oracle(tflite, [[array[i] for array in samples] for i in range(len(samples[0]))])
        return [np.stack(column) for column in zip(*rows, strict=True)]
    settled = settle_graph(graph)
    layers, state = parse_graph(settled), initial_state(settled)
    values = [run_graph(settled, [array[i] for array in samples], layers, state) for i in range(len(samples[0]))]
    return [np.stack([row[key] for row in values]) for key in settled.outputs]


def _judge(graph: Graph, found: Array, wanted: Array, labels: Array | None, judged: Comparison) -> Comparison:
    """With agreement, accuracies and labels of the first output. Raises: ModelError when labels do not fit it."""
    tensor = graph.output_tensors()[0]
    shape = tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape
    kind = _kind(graph, tensor, shape, labels)
    found, wanted = found.reshape(len(found), *shape), wanted.reshape(len(wanted), *shape)
    judged = replace(judged, agreement=_agreement(kind, found, wanted))
    if labels is None:
        return judged
    if kind is None:
        note = f"the labels, {labels.dtype} {list(labels.shape)}, are no classes of an output {list(shape)}: not used"
        return replace(judged, notes=(note,))
    head = Head("output 0", kind, shape or (1,))
    right, note = canonical_targets(head, labels, "the labels")
    judged = replace(judged, notes=(note,) if note else ())
    if kind == "values":
        errors = {"float": head.score(wanted, right), "int8": head.score(found, right)}
        return replace(judged, metrics={f"{stage}_mean_absolute_error": error for stage, error in errors.items()})
    before, after = (accuracy(answers, right, THRESHOLD) for answers in (wanted, found))
    return replace(judged, labels=right, float_accuracy=before, int8_accuracy=after)


def _kind(graph: Graph, tensor: Tensor, shape: tuple[int, ...], labels: Array | None) -> Kind | None:
    """What the first output says, by the operator that makes it and by the labels; None when that cannot be told."""
    producer = graph.producer(tensor.index)
    while producer is not None and producer.name in ("dequantize", "quantize", "reshape"):
        producer = graph.producer(producer.inputs[0])
    last = producer.name if producer is not None else ""
    one = not shape or shape[-1] == 1
    whole = labels is None or labels.dtype.kind in "iub" or bool(np.array_equal(labels, np.rint(labels)))
    if last == "logistic" and one:
        return "binary"
    if one or tensor.dtype is DType.BOOL or not whole:
        return "values" if labels is not None and labels.size == len(labels) * int(np.prod(shape or (1,))) else None
    if last == "logistic":
        return "labels"
    return "classes"


def _agreement(kind: Kind | None, found: Array, wanted: Array) -> float | None:
    """Share of samples and places where both say the same."""
    if kind == "classes":
        return float(np.mean(found.argmax(axis=-1) == wanted.argmax(axis=-1)))
    if kind in ("binary", "labels"):
        return float(np.mean((found > THRESHOLD) == (wanted > THRESHOLD)))
    return None
