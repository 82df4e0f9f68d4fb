"""The oracle: TensorFlow Lite Micro's own interpreter on the host, from the `tflite-micro` wheel.

The interpreter ends its process on some bad models and prints its reasons on file descriptor 2, so it runs in a child,
which is this module run as a program: one child for all samples, fed and read through a temporary folder.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from tinyedge import process
from tinyedge.errors import ModelError, ToolError, UsageError
from tinyedge.install import package_command
from tinyedge.paths import scratch_folder
from tinyedge.systems import succeeds_apart, was_killed

Array = npt.NDArray[Any]

_PACKAGE = "tflite_micro"
_FIRST_ARENA_BYTES = 1 << 20
_LAST_ARENA_BYTES = 1 << 28
_ARENA_STEP_BYTES = 16
_SEARCH = "arena"
"""the child's second argument, and the file with its answer"""
_QUOTED_LINES = 8
_START_S, _SAMPLE_S = 60.0, 5.0
"""what the child gets for its start and for each sample"""


def oracle_available() -> bool:
    """Whether the interpreter can run here; its wheel exists for Linux on x86_64 only."""
    return importlib.util.find_spec(_PACKAGE) is not None


@functools.cache
def oracle_version() -> str:
    """The version of the interpreter's wheel; empty where there is none."""
    try:
        return metadata.version("tflite-micro")
    except metadata.PackageNotFoundError:
        return ""


def run_oracle(tflite: bytes, inputs: Sequence[Sequence[Array]]) -> list[tuple[Array, ...]]:
    """The outputs of a model for each sample; `inputs` has one entry per sample, with one array per input.

    Variable tensors keep their values from one sample to the next.

    Raises: ToolError when the wheel is missing, or the interpreter refuses the model or fails
    """
    if not inputs:
        return []
    _check_can_run()
    with scratch_folder("oracle") as folder:
        (folder / "model.tflite").write_bytes(tflite)
        columns = [np.stack([np.asarray(value) for value in column]) for column in zip(*inputs, strict=True)]
        np.savez(folder / "inputs.npz", *columns)
        command = process.python_module("tinyedge.measure.oracle", str(folder))
        completed = process.run(command, timeout_s=_START_S + _SAMPLE_S * len(inputs), check=False)
        if completed.returncode != 0:
            raise _failure(completed, tflite)
        with np.load(folder / "outputs.npz", allow_pickle=False) as stored:
            outputs = [stored[key] for key in stored.files]
    return [tuple(output[sample] for output in outputs) for sample in range(len(inputs))]


def host_arena_bytes(tflite: bytes) -> int:
    """The smallest arena in bytes with which the interpreter starts on this computer, in steps of 16 bytes.

    Raises: ToolError when the wheel is missing, or the interpreter refuses the model
    """
    _check_can_run()
    with scratch_folder("oracle") as folder:
        (folder / "model.tflite").write_bytes(tflite)
        command = process.python_module("tinyedge.measure.oracle", str(folder), _SEARCH)
        completed = process.run(command, timeout_s=_START_S, check=False)
        if completed.returncode != 0:
            raise _failure(completed, tflite)
        return int((folder / _SEARCH).read_text())


def _check_can_run() -> None:
    if process.is_dry_run():
        raise UsageError("the oracle has to run: what it says is needed", hint="leave out the dry run")
    if not oracle_available():
        raise ToolError(
            "the oracle, the Python package `tflite-micro`, is not installed",
            hint=f"`{package_command('tflite-micro', prerelease=True)}`: there is one for Linux on x86_64",
        )


def _failure(completed: process.Completed, tflite: bytes) -> ToolError:
    """The interpreter's own words, each line once: it repeats them for every size of arena tried."""
    hint = process.full_disk_hint(completed.output) or _known_weakness(tflite)
    if was_killed(completed.returncode):
        hint = "it was killed from outside, most likely because memory ran out: close other programs and run again"
    lines = dict.fromkeys(line.strip() for line in completed.output.splitlines() if line.strip())
    quoted = process.quote_log(lines, most=_QUOTED_LINES, empty="; it printed nothing")
    return ToolError(
        f"the oracle (TensorFlow Lite Micro on the host) {process.describe_exit(completed.returncode)}{quoted}",
        hint=hint,
    )


def _known_weakness(tflite: bytes) -> str:
    """What TensorFlow Lite Micro is known to fail on in this model; else where to look."""
    from tinyedge.graph.reader import read_model

    with contextlib.suppress(ModelError):
        for operator in read_model(tflite, "model").operators:
            title = f"operator {operator.index} `{operator.name}`"
            if operator.name == "depthwise_conv_2d" and (len(operator.inputs) < 3 or operator.inputs[2] < 0):
                return f"{title} has no bias, and TensorFlow Lite Micro reads one: export it with a bias of zeros"
            if operator.name == "relu_n1_to_1":
                return f"{title}: TensorFlow Lite Micro ends where a scale takes its limits out of int32: use relu6"
    return "TensorFlow Lite Micro itself cannot run this model: check the operator its message names"


# -- the child -------------------------------------------------------------------------------------------------------


def _start_interpreter(model: bytes) -> Any:
    """The interpreter with the first arena that is large enough; sizes are doubled from 1 MiB to 256 MiB."""
    from tflite_micro import runtime

    arena_bytes = _FIRST_ARENA_BYTES
    while True:
        try:
            return runtime.Interpreter.from_bytes(model, arena_size=arena_bytes)
        except RuntimeError:
            if arena_bytes >= _LAST_ARENA_BYTES:
                raise
            arena_bytes *= 2


def _run_child(folder: Path) -> None:
    with np.load(folder / "inputs.npz", allow_pickle=False) as stored:
        columns = [stored[key] for key in stored.files]
    model = (folder / "model.tflite").read_bytes()
    interpreter = _start_interpreter(model)
    count = schema.Model.GetRootAs(model, 0).Subgraphs(0).OutputsLength()
    outputs: list[list[Array]] = []
    for sample in zip(*columns, strict=True):
        for index, value in enumerate(sample):
            interpreter.set_input(value, index)
        interpreter.invoke()
        outputs.append([np.array(interpreter.get_output(index)) for index in range(count)])  # it reuses its arrays
    np.savez(folder / "outputs.npz", *(np.stack(column) for column in zip(*outputs, strict=True)))


def _search_arena(folder: Path) -> None:
    """Each size is tried in a process of its own: the interpreter breaks on some."""
    model = (folder / "model.tflite").read_bytes()
    _start_interpreter(model)  # refuses in its own words what no arena can help
    fails, works = 0, _LAST_ARENA_BYTES
    while works - fails > _ARENA_STEP_BYTES:
        middle = (fails + works) // 2 // _ARENA_STEP_BYTES * _ARENA_STEP_BYTES
        if _starts_in(model, middle):
            works = middle
        else:
            fails = middle
    (folder / _SEARCH).write_text(str(works))


def _starts_in(model: bytes, arena_bytes: int) -> bool:
    from tflite_micro import runtime

    return succeeds_apart(lambda: runtime.Interpreter.from_bytes(model, arena_size=arena_bytes))


if __name__ == "__main__":
    try:
        if _SEARCH in sys.argv[2:]:
            _search_arena(Path(sys.argv[1]))
        else:
            _run_child(Path(sys.argv[1]))
    except Exception as error:  # whatever it is, the parent quotes it
        sys.exit(f"{type(error).__name__}: {error}")
