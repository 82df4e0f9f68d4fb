"""The process that converts: `python -m tinyedge.convert.worker FOLDER`, started by `tinyedge.convert.child` alone.

FOLDER has job.json and the data as arrays.npz, for quantization-aware training also training.npz. Converters print,
crash and hang, so what they print goes where this process prints, which its parent quotes when it ends badly, and
results go into the folder: float.tflite, model.tflite (untrained.tflite where that was trained on), arrays.npz anew
(`input_0`..., `output_0`... of the source, `float_0`... of float.tflite), and last result.json:
`{"error": {"kind", "what", "hint"}}`, or what `Result` holds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.convert.aware import train_aware
from tinyedge.convert.contract import (
    ARRAYS,
    FLOAT,
    MODEL,
    PROGRESS,
    RESULT,
    TRAINING,
    UNTRAINED,
    Brought,
    Settings,
)
from tinyedge.convert.interpret import run_all
from tinyedge.convert.leftovers import check_result, float_operators
from tinyedge.convert.matching import spread
from tinyedge.convert.noise import SAMPLES, layer_noise
from tinyedge.convert.quantize import quantize
from tinyedge.convert.settle import settle
from tinyedge.convert.source import front_called
from tinyedge.data import Arrays
from tinyedge.errors import ModelError, TinyEdgeError
from tinyedge.graph.ir import Array
from tinyedge.paths import write_whole

TOLERANCE = 1e-3
"""how far float.tflite may be from its source, of the source's largest value (at least 1)"""


def main(folder: Path) -> int:
    try:
        result = convert(folder)
    except TinyEdgeError as error:
        result = {"error": error.to_json()}
    except MemoryError as error:
        told = ModelError(f"it needs more memory than there is: {error}", hint="a smaller model, or fewer samples")
        result = {"error": told.to_json()}
    (folder / RESULT).write_text(json.dumps(result), encoding="utf-8")
    return 0


def convert(folder: Path) -> dict[str, Any]:
    """Do the job of a folder. Raises: TinyEdgeError of the front or the quantizer."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    settings = Settings.from_json(job["settings"])
    front = front_called(job["front"])
    with np.load(folder / ARRAYS, allow_pickle=False) as stored:
        data = Arrays({name: stored[f"x_{i}"] for i, name in enumerate(job["inputs"])})
    brought = front.bring(Path(job["source"]), data, settings, folder)
    rebuilt = _rebuilt(brought, folder, job["inputs"]) if settings.qat else None
    floats = brought.tflite if brought.exact else settle(brought.tflite)
    answers = _answers(brought, floats)
    model = _integers(brought, floats, settings)
    notes = list(brought.notes)
    if rebuilt is not None:
        (folder / UNTRAINED).write_bytes(model)
        model, told = train_aware(
            *rebuilt,
            epochs=settings.qat,
            calibrate=settings.calibrate,
            progress=lambda *step: write_whole(folder / PROGRESS, json.dumps(step[1:] + step[:1]).encode()),
        )
        notes += told
    notes += check_result(model, job["name"])
    (folder / FLOAT).write_bytes(floats)
    (folder / MODEL).write_bytes(model)
    named = {"input": brought.inputs, "output": brought.outputs, "float": answers}
    arrays: dict[str, Any] = {f"{kind}_{i}": array for kind, found in named.items() for i, array in enumerate(found)}
    np.savez(folder / ARRAYS, **arrays)
    few = _taken(brought.inputs, SAMPLES)
    layers = () if brought.exact or settings.qat else layer_noise(floats, model, few)
    return {"notes": notes, "layers": [layer.to_json() for layer in layers]}


def _integers(brought: Brought, floats: bytes, settings: Settings) -> bytes:
    """The quantized model; by the front's own way where the quantizer would leave operators in float."""
    if brought.exact:
        return brought.tflite
    calibration = _taken(brought.inputs, settings.calibrate)
    own = brought.quantize if settings.types == "int8" and not settings.layers else None
    try:
        model = quantize(floats, calibration, settings.types, settings.layers)
        if own is None or not float_operators(model):
            return model
    except ModelError:
        if own is None:
            raise
    return own(calibration)


def _rebuilt(brought: Brought, folder: Path, names: Sequence[str]) -> tuple[Any, tuple[Array, ...], Array]:
    """(the model in tf_keras, the samples that it is trained on, their labels). Raises: ModelError."""
    assert brought.rebuild is not None
    with np.load(folder / TRAINING, allow_pickle=False) as stored:
        labels = stored["labels"]
        samples = Arrays({name: stored[f"x_{i}"] for i, name in enumerate(names)})
    return (*brought.rebuild(samples), labels)


def _answers(brought: Brought, floats: bytes) -> list[Array]:
    """What float.tflite answers. Raises: ModelError when that is not what the source answers."""
    if brought.exact:
        return list(brought.outputs)
    answers = run_all(floats, brought.inputs)
    for index, (wanted, found) in enumerate(zip(brought.outputs, answers, strict=True)):
        _check_finite(index, wanted)
        flat = found.reshape(len(found), -1).astype(np.float64)
        difference = float(np.max(np.abs(wanted.reshape(len(wanted), -1) - flat), initial=0.0))
        largest = float(np.max(np.abs(wanted), initial=0.0))
        if not difference <= TOLERANCE * max(1.0, largest):
            raise ModelError(
                f"the conversion is wrong: output {index} of the float .tflite differs from the source's by "
                f"{difference:.3g}, and the largest value of the source is {largest:.3g}",
                hint="a layer means something else in TensorFlow Lite: leave out half of the model to find which",
            )
    return answers


def _check_finite(index: int, wanted: Array) -> None:
    """Raises: ModelError when the source itself answers with no numbers."""
    wrong = int(np.sum(~np.isfinite(wanted.reshape(len(wanted), -1)).all(axis=1)))
    if wrong:
        raise ModelError(
            f"the source itself answers {wrong:,} of {len(wanted):,} samples with values that are not finite, in "
            f"output {index}",
            hint="give samples of the kind and in the range that the model was trained on",
        )


def _taken(inputs: Sequence[Array], count: int) -> list[Array]:
    chosen = spread(len(inputs[0]), count)
    return [array[chosen] for array in inputs]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
