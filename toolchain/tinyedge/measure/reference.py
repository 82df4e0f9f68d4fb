"""What a firmware's outputs have to be: the oracle's, or where it is not, those of the numpy references."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.artifacts import Observer, QuantizedModel, Schedule
from tinyedge.cache import Store
from tinyedge.digests import digest
from tinyedge.graph.ir import Array, Graph
from tinyedge.measure.oracle import oracle_available, oracle_version, run_oracle
from tinyedge.measure.oracle_limits import beyond_oracle
from tinyedge.measure.samples import load_inputs
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import initial_state, run_graph

NUMPY_REFERENCE = "tinyedge's reference"
NO_ORACLE = "the interpreter of TensorFlow Lite Micro is not installed here (its wheel is for Linux on x86_64)"
SELFTEST_INPUTS = "random:1"
"""the first sample of it is what the firmware's self-test feeds the model with (te_model.h)"""


@dataclass(frozen=True, eq=False)
class OracleReference:
    """TensorFlow Lite Micro's interpreter on the host; what it computed is kept in `folder`."""

    model: QuantizedModel
    graph: Graph
    """as in the file"""
    folder: Path
    notes: tuple[str, ...] = ()
    """what is to be said of the model when its outputs were compared"""

    @property
    def name(self) -> str:
        return "TensorFlow Lite Micro"

    def outputs(self, samples: Sequence[Array], observer: Observer) -> list[Array]:
        """One array [N, *shape] for each output of the model. Raises: as `run_oracle`."""
        store = Store(self.folder, ".npz")
        key = digest(self.model.digest, oracle_version(), *(part for array in samples for part in _described(array)))
        kept = store.get(key[:32])
        if kept is not None and (outputs := self._unpack(kept, len(samples[0]))) is not None:
            return outputs
        with observer.progress("TensorFlow Lite Micro on the host"):
            rows = run_oracle(self.model.tflite, list(zip(*samples, strict=True)))
        outputs = [np.stack([row[i] for row in rows]) for i in range(len(self.graph.outputs))]
        archive = io.BytesIO()
        np.savez(archive, **{f"output{i}": array for i, array in enumerate(outputs)})  # type: ignore[arg-type]
        store.put(key[:32], archive.getvalue())
        return outputs

    def _unpack(self, kept: bytes, count: int) -> list[Array] | None:
        """The outputs in an archive; None when they are not those of `count` samples of this model."""
        try:
            with np.load(io.BytesIO(kept), allow_pickle=False) as stored:
                outputs = [stored[f"output{i}"] for i in range(len(self.graph.outputs))]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None
        tensors = self.graph.output_tensors()
        fit = all(
            len(array) == count and array[0].nbytes == tensor.bytes
            for array, tensor in zip(outputs, tensors, strict=True)
        )
        return outputs if fit else None


def _described(array: Array) -> tuple[str, bytes]:
    return f"{array.dtype.str} {array.shape}", array.tobytes()


@dataclass(frozen=True, eq=False)
class NumpyReference:
    """tinyedge's own reference of each operator, where the oracle cannot be asked; tests compare it with the oracle.

    why  the oracle cannot be asked, for people
    """

    graph: Graph
    why: str
    further: tuple[str, ...] = ()
    """what else is to be said of the model"""

    @property
    def name(self) -> str:
        return NUMPY_REFERENCE

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"{self.why}: outputs are compared with {NUMPY_REFERENCE}", *self.further)

    def outputs(self, samples: Sequence[Array], observer: Observer) -> list[Array]:
        """One array [N, *shape] for each output of the model. Raises: ModelError when an operator has no reference."""
        return run_reference(self.graph, samples, observer)


def choose_reference(
    model: QuantizedModel, original: Graph, settled: Graph, folder: Path, notes: tuple[str, ...] = ()
) -> OracleReference | NumpyReference:
    """The oracle where its interpreter is installed and runs the file; what it computes is kept in `folder`.

    original  as in the file
    settled   the same without what is computed at compile time
    notes     what is to be said of the model when its outputs were compared
    """
    if not oracle_available():
        return NumpyReference(settled, NO_ORACLE, notes)
    if why := beyond_oracle(original, settled):
        return NumpyReference(settled, f"TensorFlow Lite Micro does not run this file ({why})", notes)
    return OracleReference(model, original, folder, notes)


def run_reference(
    graph: Graph, samples: Sequence[Array], observer: Observer, layers: Sequence[Layer] | None = None
) -> list[Array]:
    """What the numpy references compute, sample after sample; variables keep their values in between.

    layers  instead of those of the graph

    Shape:  samples one array [N, *shape] for each input; one array [N, *shape] for each output
    """
    layers = parse_graph(graph) if layers is None else layers
    state = initial_state(graph)
    rows: list[list[Array]] = []
    with observer.progress("reference on the host") as report:
        for sample in zip(*samples, strict=True):
            values = run_graph(graph, list(sample), layers, state)
            rows.append([values[key] for key in graph.outputs])
            report(len(rows), len(samples[0]))
    return [np.stack(column) for column in zip(*rows, strict=True)]


def selftest_inputs(graph: Graph) -> list[Array]:
    """The self-test's input: one array [1, *shape] for each input of the graph."""
    return load_inputs(SELFTEST_INPUTS, graph, 1)


def selftest_crc(graph: Graph) -> int:
    """CRC-32 over all outputs for the self-test's input, by the numpy reference."""
    values = run_graph(graph, [array[0] for array in selftest_inputs(graph)])
    return zlib.crc32(b"".join(values[key].tobytes() for key in graph.outputs))


def layer_crcs(schedule: Schedule, sample: list[Array]) -> list[int]:
    """What `profile` must report for `sample`: CRC-32 over the outputs of each layer, in order of execution."""
    values = run_graph(schedule.graph, sample)
    return [
        zlib.crc32(b"".join(values[tensor.index].tobytes() for tensor in scheduled.layer.outputs))
        for scheduled in schedule.layers
    ]
