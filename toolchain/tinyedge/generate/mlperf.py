"""The runner of MLPerf Tiny: which of its models a graph is, and the firmware that speaks its protocol.

Source: mlcommons/tiny, benchmark/api and the conversions of inputs in benchmark/reference_submissions
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.errors import UsageError
from tinyedge.generate.render import render, template_file
from tinyedge.graph.ir import DType, Graph
from tinyedge.literals import float_literal

FOLDER = "mlperf"
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class Task:
    """One model of the benchmark, as its runner sends inputs and takes results."""

    id: str
    title: str
    input_count: int
    output_count: int
    subtracted: int = 0
    """from each byte, as the pictures are uint8"""
    takes_float: bool = False
    """inputs are float32, and the result is the mean squared error of the output"""

    @property
    def buffer_bytes(self) -> int:
        """Bytes of one input on the line."""
        return self.input_count * (_FLOAT_BYTES if self.takes_float else 1)


TASKS = (
    Task("kws01", "keyword spotting", 490, 12),
    Task("vww01", "person detection", 96 * 96 * 3, 2, subtracted=128),
    Task("ic01", "image classification", 32 * 32 * 3, 10, subtracted=128),
    Task("ad01", "anomaly detection", 640, 640, takes_float=True),
    Task("strww01", "streaming wake word", 30 * 40, 3),
)


def find_task(graph: Graph) -> Task:
    """Which of the runner's models a graph is, by its tensors. Raises: UsageError when it is none."""
    inputs, outputs = graph.input_tensors(), graph.output_tensors()
    if len(inputs) == len(outputs) == 1 and {inputs[0].dtype, outputs[0].dtype} == {DType.INT8}:
        for task in TASKS:
            if (inputs[0].bytes, outputs[0].bytes) == (task.input_count, task.output_count):
                return task
    shapes = ", ".join(f"{task.id} ({task.input_count:,} to {task.output_count:,})" for task in TASKS)
    raise UsageError(
        f"model `{graph.name}` is none of the runner's, which have one int8 input and output of so many "
        f"values: {shapes}",
        hint="build it without `--protocol mlperf`: tinyedge's own protocol takes any model",
    )


def runner_files(graph: Graph) -> dict[str, bytes]:
    """The files of a firmware that take the place of tinyedge's main. Raises: UsageError as `find_task`"""
    task, source, result = find_task(graph), graph.input_tensors()[0], graph.output_tensors()[0]
    header = render(
        "te_mlperf.h.j2",
        folder=FOLDER,
        task=task,
        input_scale=float_literal(source.scale),
        input_zero_point=source.zero_point,
        output_scale=float_literal(result.scale),
        output_zero_point=result.zero_point,
    )
    return {"app/main.c": template_file(f"{FOLDER}/main.c"), "app/te_mlperf.h": header}
