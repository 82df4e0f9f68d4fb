"""The process that trains: `python -m tinyedge.train.worker JOB`, started by `tinyedge.train.training` alone.

JOB is a JSON file with the recipe; the results go beside it. Standard output carries one JSON object a line:
`{"progress": [stage, done, total]}`, `{"note": text}` and `{"if_ended": error}` any number of times, then
`{"figures": {...}}` or `{"error": {"kind", "what", "hint"}}`. An `if_ended` is what it means when this process ends in
the stage it was sent in without another word. Everything libraries print goes to worker.log beside the job.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import math
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from tinyedge.digests import canonical_json, digest
from tinyedge.errors import TinyEdgeError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.paths import cache_dir
from tinyedge.train import float_stage, store
from tinyedge.train.anomaly import MOST_FEATURES, auc, choose_threshold, mahalanobis_distances, reconstruction_errors
from tinyedge.train.author import build_model, load_splits
from tinyedge.train.batches import check_augmentation
from tinyedge.train.checkpoint import Keeper
from tinyedge.train.compress.contract import stored_by_all
from tinyedge.train.convert import convert_model
from tinyedge.train.evaluate import check_types, quantize_inputs, real_values, run_int8, sparsity
from tinyedge.train.featured import device_samples, features_table, with_features
from tinyedge.train.fit import Training, check_fit
from tinyedge.train.inputs import Recorder
from tinyedge.train.matching import Matched, match_data
from tinyedge.train.recipe import Recipe, read_recipe_table
from tinyedge.train.rehearsal import rehearse
from tinyedge.train.splits import Splits

_REPORT_EVERY_S = 0.1


class Channel:
    """Standard output as it was when the process started: the line to the parent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last_stage = ""
        self._last_time = 0.0

    def send(self, message: dict[str, Any]) -> None:
        self._stream.write(f"\n{json.dumps(message)}\n")  # whatever a recipe left on this line, it ends here
        self._stream.flush()

    def if_ended(self, error: TinyEdgeError) -> None:
        self.send({"if_ended": error.to_json()})

    def progress(self, stage: str, done: int, total: int) -> None:
        """Report the start and the end of every stage, and now and then in between."""
        now = time.monotonic()
        if stage == self._last_stage and done < total and now - self._last_time < _REPORT_EVERY_S:
            return
        self._last_stage, self._last_time = stage, now
        self.send({"progress": [stage, done, total]})


def main(job_file: Path) -> int:
    """Do one job. Returns the exit code."""
    channel = _take_over_output(job_file.with_name("worker.log"))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        job = json.loads(job_file.read_text(encoding="utf-8"))
        recipe = read_recipe_table(job["recipe"], Path(job["folder"]))
        own = [job_file.parent, Path(job["keep"]), Path(__file__).parents[1], cache_dir()]
        recorder = Recorder(recipe.folder, own)
        recorder.start()
        os.chdir(recipe.folder)  # paths in [data] are relative to the recipe
        figures = train(recipe, job_file.parent, Path(job["keep"]), channel)
        channel.send({"figures": {**figures, "inputs": recorder.inputs()}})
    except TinyEdgeError as error:
        channel.send({"error": error.to_json()})
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _take_over_output(log: Path) -> Channel:
    """Keep standard output for the parent, and send what anything else prints to `log`, from C code as well."""
    channel = Channel(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)
    return channel


def _end_with_parent() -> None:
    """End at once when the parent is gone, however it went: its end of the pipe closes."""
    while os.read(0, 1024):
        pass
    os._exit(1)


class _Clock:
    """The seconds of each stage, which is told as it begins and ends."""

    def __init__(self, channel: Channel) -> None:
        self.seconds: dict[str, float] = {}
        self._channel = channel
        self._started = time.monotonic()

    def total(self) -> float:
        return round(time.monotonic() - self._started, 2)

    @contextlib.contextmanager
    def stage(self, name: str, *, counted: bool = True) -> Iterator[None]:
        """Time a stage. One that is not `counted` does not report its steps itself: it is one step."""
        begun = time.monotonic()
        if not counted:
            self._channel.progress(name, 0, 1)
        yield
        if not counted:
            self._channel.progress(name, 1, 1)
        self.seconds[name] = round(time.monotonic() - begun, 2)


def train(recipe: Recipe, out: Path, keep: Path, channel: Channel) -> dict[str, Any]:
    """Every stage in order; model.tflite and samples.npz in `out`, the float stage in `keep`.

    Returns the figures of metrics.json.
    """
    clock = _Clock(channel)
    with clock.stage("load", counted=False):
        splits = load_splits(recipe)
        if recipe.fit.samples:
            splits = splits.limited(recipe.fit.samples)
        if recipe.features is not None:
            splits = with_features(splits, recipe.features)
        _import_tensorflow()
    with clock.stage("check", counted=False):
        model, data = _checked(recipe, splits, channel)
    model, training, metrics = _trained(recipe, model, data, keep, clock, channel)
    with clock.stage("convert", counted=False):
        settings = recipe.convert
        tflite = convert_model(model, data.train_inputs, settings.representative_samples, settings.activations)
        told = len(training.notes)
        tflite = stored_by_all(recipe.compress, tflite, training)
        _tell(training, told, channel)
        metrics |= training.figures
    with clock.stage("evaluate"):
        graph = read_model(tflite, recipe.name)
        check_types(graph, settings.activations)
        samples, raw = quantize_inputs(data.test_inputs, graph), None
        if recipe.features is not None:
            first, raw = device_samples(recipe.features, np.asarray(splits.test_inputs), graph)
            samples = (first,)
        outputs = run_int8(graph, samples, lambda done, total: channel.progress("evaluate", done, total))
        real = [real_values(array, tensor) for array, tensor in zip(samples, graph.input_tensors(), strict=True)]
        metrics |= _prefixed("int8", data.score(outputs, real))
        if data.reconstructs:
            metrics |= _judge_detector(data, graph, real[0], outputs[0], recipe.anomaly.false_alarms)
    metrics["gzip_bytes"] = float(len(gzip.compress(tflite, 9, mtime=0)))
    metrics["train_seconds"] = clock.total()
    metrics["train_cpu_seconds"] = round(time.process_time(), 2)
    (out / store.MODEL).write_bytes(tflite)
    (out / store.SAMPLES).write_bytes(_archive(samples, data, raw))
    return {
        "model": recipe.name,
        "heads": [head.name for head in data.heads],
        "float_accuracy": metrics.get("float_accuracy"),
        "int8_accuracy": metrics.get("int8_accuracy"),
        "sparsity": sparsity(graph),
        "metrics": metrics,
        "seconds": clock.seconds,
        "class_names": list(splits.class_names),
        "made_up": splits.made_up,
        "features": features_table(recipe.features),
        "samples": {split: splits.count(split) for split in splits.names},
        "epochs": training.rows,
    }


def _checked(recipe: Recipe, splits: Splits, channel: Channel) -> tuple[Any, Matched]:
    """(the untrained model, its data) once all but the training was gone through; what is to be said is told."""
    _seed(recipe.seed)
    model = build_model(recipe, splits)
    data = match_data(model, splits, recipe.task)
    check_augmentation(recipe.augment, data)
    check_fit(recipe.fit, data)
    for note in (*splits.notes, *data.notes, *rehearse(recipe, model, data, channel.if_ended)):
        channel.send({"note": note})
    _seed(recipe.seed)
    return build_model(recipe, splits), data


def _trained(
    recipe: Recipe, model: Any, data: Matched, keep: Path, clock: _Clock, channel: Channel
) -> tuple[Any, Training, dict[str, float]]:
    """(the model trained and compressed, how that went, the metrics after each stage), going on from what is kept."""
    kept = float_stage.stage_digest(recipe, model, data)
    keeper = Keeper(keep, digest(kept, canonical_json(recipe.to_json()["compress"])))
    fit = recipe.fit
    training = Training(data, fit.batch_size, channel.progress, recipe.seed, fit, recipe.augment, keeper)
    with clock.stage("fit"):
        rows = float_stage.restore(keep, kept, model)
        if rows is not None:
            training.rows.extend(rows)
        elif fit.epochs:
            training.fit(model, "fit", epochs=fit.epochs, learning_rate=fit.learning_rate, may_stop=True)
            float_stage.save(keep, kept, model, training.rows)
        metrics = {**_prefixed("float", training.score(model)), "parameters": float(model.count_params())}
    told = _tell(training, 0, channel)
    for technique in recipe.compress:
        with clock.stage(technique.name):
            model = technique.apply(model, training)
            training = replace(training, data=technique.taught(training.data))
            metrics |= _prefixed(technique.name, training.score(model))
        told = _tell(training, told, channel)
    keeper.done()
    return model, training, metrics


def _tell(training: Training, told: int, channel: Channel) -> int:
    """Tell the notes of a training behind the first `told`. Returns how many are told now."""
    for note in training.notes[told:]:
        channel.send({"note": note})
    return len(training.notes)


def _prefixed(stage: str, metrics: dict[str, float]) -> dict[str, float]:
    return {f"{stage}_{name}": value for name, value in metrics.items()}


def _judge_detector(data: Matched, graph: Graph, inputs: Any, outputs: Any, false_alarms: float) -> dict[str, float]:
    """The threshold of the int8 model, what it does to the test data, and how well a distance without a network does.

    Shape:  inputs, outputs [N, ...] of the test data, in real values
    """
    assert data.validation_inputs is not None
    assert data.validation_targets is not None
    normal = data.validation_inputs[0][data.validation_targets[0] == 0]
    samples = quantize_inputs([normal], graph)
    (answers,) = run_int8(graph, samples, lambda _done, _total: None)
    known = reconstruction_errors(real_values(samples[0], graph.input_tensors()[0]), answers)
    threshold = choose_threshold(known, false_alarms)
    above = reconstruction_errors(inputs, outputs) > threshold
    states = data.test_targets[0]
    found = {
        "threshold": threshold,
        "int8_detected": float(above[states == 1].mean()),
        "int8_false_alarms": float(above[states == 0].mean()),
    }
    if math.prod(data.train_inputs[0].shape[1:]) <= MOST_FEATURES:
        distances = mahalanobis_distances(data.train_inputs[0], data.test_inputs[0])
        found["mahalanobis_auc"] = auc(distances, states)
    return found


def _archive(samples: Sequence[Any], data: Matched, raw: Any) -> bytes:
    """samples.npz: `samples`, `samples_1`... of each input as the device gets it; `labels` (classes) or `targets` (of a
    regression or an anomaly detector, which have no accuracy) of the first output, `labels_1` or `targets_1` of the
    next, and so on; `raw`: what features of the samples are computed of, if they are."""
    arrays: dict[str, Any] = {store.numbered("samples", index): array for index, array in enumerate(samples)}
    if raw is not None:
        arrays["raw"] = raw
    for index, (head, targets) in enumerate(zip(data.heads, data.test_targets, strict=True)):
        arrays[store.numbered("labels" if head.has_classes else "targets", index)] = targets
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _import_tensorflow() -> None:
    """Import TensorFlow and make it deterministic, with generators of random numbers whose state can be kept."""
    import tensorflow as tf
    import tf_keras

    tf.config.experimental.enable_op_determinism()
    tf_keras.backend.experimental.enable_tf_random_generator()


def _seed(seed: int) -> None:
    """Begin anew: the names of layers count from the start again, and every generator is seeded."""
    import tf_keras

    tf_keras.backend.clear_session()
    tf_keras.utils.set_random_seed(seed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
