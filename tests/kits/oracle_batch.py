"""Many models through TensorFlow Lite Micro, in few child processes: it ends its process on some models.

Run as a program it is the child: it works through the models of a folder from a number on, and each model that is
done has a file of outputs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Sample = tuple[Array, ...]
_TIMEOUT_S = 600.0


def run_oracle_batch(models: Sequence[tuple[bytes, Sequence[Sample]]], folder: Path) -> list[list[Sample] | str]:
    """For each (model, samples one after the other): the outputs for each sample, or why there are none."""
    folder.mkdir(parents=True)
    for number, (tflite, samples) in enumerate(models):
        (folder / f"{number}.tflite").write_bytes(tflite)
        columns = [np.stack(column) for column in zip(*samples, strict=True)]
        np.savez(folder / f"{number}.in.npz", *columns)
    results: list[list[Sample] | str] = []
    while len(results) < len(models):
        start = len(results)
        done = subprocess.run(
            [sys.executable, __file__, str(folder), str(start)],
            capture_output=True, text=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
        while (folder / f"{len(results)}.out.npz").is_file():
            with np.load(folder / f"{len(results)}.out.npz") as stored:
                columns = [stored[key] for key in stored.files]
            results.append([tuple(sample) for sample in zip(*columns, strict=True)])
        if len(results) < len(models):
            lines = (done.stderr + done.stdout).strip().splitlines()
            results.append(f"exit {done.returncode}: " + " | ".join(lines[-4:]))
    return results


def _run_child(folder: Path, start: int) -> None:
    from tflite_micro import runtime

    number = start
    while (folder / f"{number}.tflite").is_file():
        interpreter = runtime.Interpreter.from_bytes((folder / f"{number}.tflite").read_bytes(), arena_size=4 << 20)
        with np.load(folder / f"{number}.in.npz") as stored:
            columns = [stored[key] for key in stored.files]
        outputs: list[list[Array]] = []
        for sample in zip(*columns, strict=True):
            for index, value in enumerate(sample):
                interpreter.set_input(value, index)
            interpreter.invoke()
            outputs.append(_outputs(interpreter))
        partial = folder / f"{number}.part.npz"
        np.savez(partial, *(np.stack(column) for column in zip(*outputs, strict=True)))
        partial.replace(folder / f"{number}.out.npz")
        number += 1


def _outputs(interpreter: Any) -> list[Array]:
    found: list[Array] = []
    while True:
        try:
            found.append(np.array(interpreter.get_output(len(found))))  # it reuses its arrays
        except (IndexError, ValueError, RuntimeError):
            return found


if __name__ == "__main__":
    _run_child(Path(sys.argv[1]), int(sys.argv[2]))
