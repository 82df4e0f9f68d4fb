"""What a firmware's outputs have to be: the oracle's, kept by model and inputs, and the checksums of single layers."""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.artifacts import Observer, QuantizedModel, Schedule
from tinyedge.digests import digest
from tinyedge.graph.ir import Array, Graph
from tinyedge.measure.oracle import run_oracle
from tinyedge.measure.samples import load_inputs
from tinyedge.ops.reference import run_graph
from tinyedge.paths import write_whole

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

    def outputs(self, samples: Sequence[Array], observer: Observer) -> list[Array]:
        """One array [N, *shape] for each output of the model. Raises: as `run_oracle`."""
        name = digest(self.model.digest, *(array.tobytes() for array in samples))[:16]
        kept = self.folder / f"{name}.npz"
        count = len(self.graph.outputs)
        if kept.is_file():
            with np.load(kept) as stored:
                return [stored[f"output{i}"] for i in range(count)]
        with observer.progress("TensorFlow Lite Micro on the host"):
            rows = run_oracle(self.model.tflite, list(zip(*samples, strict=True)))
        outputs = [np.stack([row[i] for row in rows]) for i in range(count)]
        archive = io.BytesIO()
        np.savez(archive, **{f"output{i}": array for i, array in enumerate(outputs)})  # type: ignore[arg-type]
        write_whole(kept, archive.getvalue())
        return outputs


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
