"""Training as a whole: what it reaches, that it repeats, and that it leaves nothing behind when it ends early."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from kits.processes import wait_until
from kits.recipes import RECIPE, needs_tensorflow, write_recipe
from kits.tflm import interpret
from tinyedge import process
from tinyedge.artifacts import Silence
from tinyedge.errors import ModelError, TinyEdgeError, ToolError, UsageError
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.install import extra_command
from tinyedge.jobs.train import train, trained_folder
from tinyedge.ops import check
from tinyedge.train import find_recipe, load_recipe, load_trained, train_model, training_digest
from tinyedge.train.store import METRICS, MODEL, SAMPLES
from tinyedge.train.training import read_message

FILES = [METRICS, MODEL, SAMPLES]


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- what comes out --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def digits(root: Path) -> Path:
    """The folder of a trained `digits`: the one that other tests and `make demo` keep in the checkout."""
    recipe = find_recipe("digits")
    train(recipe, root / "build", Silence())
    return trained_folder(recipe, root / "build")


@pytest.mark.train
@pytest.mark.xdist_group("digits")
@needs_tensorflow
def test_digits_keep_their_promises(digits: Path) -> None:
    model = load_trained(digits)
    assert model is not None
    assert model.name == "digits"
    assert model.float_accuracy is not None
    assert model.int8_accuracy is not None
    assert model.sparsity is not None
    assert model.int8_accuracy >= 0.97
    assert abs(model.float_accuracy - model.int8_accuracy) <= 0.01
    assert 0.745 <= model.sparsity <= 0.80
    assert len(model.tflite) < 24_000
    assert model.metrics["parameters"] == 13_866
    assert model.metrics["gzip_bytes"] < len(model.tflite) / 2
    assert json.loads((digits / METRICS).read_text())["training_digest"] == training_digest(find_recipe("digits"))


@pytest.mark.train
@pytest.mark.xdist_group("digits")
@needs_tensorflow
def test_digits_are_int8_throughout_and_sparse_in_every_kernel(digits: Path) -> None:
    graph = read_model((digits / MODEL).read_bytes(), "digits")
    check(graph)
    assert {tensor.dtype for tensor in graph.tensors.values()} == {DType.INT8, DType.INT32}
    assert [tensor.shape for tensor in (*graph.input_tensors(), *graph.output_tensors())] == [(1, 8, 8, 1), (1, 10)]
    kernels = [graph.tensor(op.inputs[1]) for op in graph.operators if op.name in ("conv_2d", "fully_connected")]
    assert len(kernels) == 4
    for kernel in kernels:
        assert kernel.data is not None
        assert kernel.quantization is not None
        assert np.mean(kernel.data == 0) >= 0.74, kernel.name
        # An emptied channel with a scale near 0 would have its bias clipped.
        assert min(kernel.quantization.scale) > 1e-4


@pytest.mark.train
@pytest.mark.xdist_group("digits")
@needs_tensorflow
def test_the_int8_accuracy_of_digits_is_the_one_tensorflow_lite_micro_finds(digits: Path) -> None:
    model = load_trained(digits)
    assert model is not None
    assert model.samples is not None
    assert model.labels is not None
    (samples,) = model.samples
    assert samples.shape == (450, 1, 8, 8, 1)
    assert samples.dtype == np.int8
    right = sum(
        int(np.argmax(interpret(model.tflite, [sample])[0])) == label
        for sample, label in zip(samples, model.labels, strict=True)
    )
    assert right / 450 == model.int8_accuracy


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_a_regression_is_judged_by_its_error(tmp_path: Path) -> None:
    model = train_model(find_recipe("sine"), tmp_path / "sine")
    assert (model.float_accuracy, model.int8_accuracy, model.labels) == (None, None, None)
    assert model.metrics["float_mean_absolute_error"] < 0.02
    assert model.metrics["int8_mean_absolute_error"] < 0.03
    with np.load(tmp_path / "sine" / SAMPLES) as archive:
        samples, targets = archive["samples"], archive["targets"]
    graph = read_model(model.tflite, "sine")
    output = graph.output_tensors()[0]
    answers = [interpret(model.tflite, [sample])[0].reshape(-1)[0] for sample in samples]
    real = (np.array(answers, np.float64) - output.zero_point) * output.scale
    found = np.mean(np.abs(real - targets[:, 0]))
    assert found == pytest.approx(model.metrics["int8_mean_absolute_error"], rel=1e-4)


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_training_repeats_to_the_last_byte_and_tells_every_stage(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = load_recipe(write_recipe(tmp_path / "clouds"))
    told: list[tuple[str, int, int]] = []
    first = train_model(recipe, tmp_path / "first", progress=lambda *step: told.append(step))
    second = train_model(recipe, tmp_path / "elsewhere" / "second")
    assert first.tflite == second.tflite
    assert (tmp_path / "first" / SAMPLES).read_bytes() == (tmp_path / "elsewhere" / "second" / SAMPLES).read_bytes()
    assert files_in(tmp_path / "first") == FILES
    assert files_in(tmp_path / "clouds") == ["data.py", "model.py", "recipe.toml"]
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["load", "check", "fit", "prune", "quantize_aware", "convert", "evaluate"]
    for stage in stages:
        steps = [(done, total) for name, done, total in told if name == stage]
        assert steps == sorted(steps)
        assert steps[-1][0] == steps[-1][1] > 0
    assert capfd.readouterr() == ("", "")
    again = load_trained(tmp_path / "first")
    assert again is not None
    assert (again.digest, again.int8_accuracy, again.metrics) == (first.digest, first.int8_accuracy, first.metrics)


TELLS_UNITS = """\
import os

from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__


def load(points):
    wide = [name for name in __cpu_dispatch__ if name == "X86_V4" or name.startswith("AVX512")]
    used = [name for name in wide if __cpu_features__[name]]
    raise RuntimeError(f"{used} {os.environ['ONEDNN_MAX_CPU_ISA']}")
"""


@pytest.mark.train
@needs_tensorflow
def test_training_uses_no_wider_units_than_avx2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy says what it uses; of oneDNN the wish has to do. What the caller's environment wishes does not count."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE")
    recipe = load_recipe(write_recipe(tmp_path / "clouds", data=TELLS_UNITS))
    with pytest.raises(ModelError, match=r"RuntimeError: \[\] AVX2"):
        train_model(recipe, tmp_path / "trained")


@pytest.mark.train
@needs_tensorflow
def test_what_libraries_leave_in_the_folder_of_temporary_files_goes_too(tmp_path: Path) -> None:
    data = "import tempfile\n\n\ndef load(points):\n    raise RuntimeError(tempfile.gettempdir())\n"
    recipe = load_recipe(write_recipe(tmp_path / "clouds", data=data))
    with pytest.raises(ModelError, match=r"RuntimeError: .*tinyedge-train-") as caught:
        train_model(recipe, tmp_path / "trained")
    assert not Path(caught.value.what.partition("RuntimeError: ")[2]).exists()


# -- what ends early -------------------------------------------------------------------------------------------------


@pytest.mark.train
@needs_tensorflow
def test_a_crash_of_the_process_is_an_error_with_its_stage(tmp_path: Path) -> None:
    data = "import os, signal, sys\n\n\ndef load(points):\n    print('about to fall', file=sys.stderr, flush=True)\n"
    data += "    os.kill(os.getpid(), signal.SIGSEGV)\n"
    recipe = load_recipe(write_recipe(tmp_path / "clouds", data=data))
    with pytest.raises(ToolError) as caught:
        train_model(recipe, tmp_path / "new" / "trained")
    assert "training `clouds` broke off in stage `load`: its process was ended by SIGSEGV" in caught.value.what
    assert "| about to fall" in caught.value.what
    assert not (tmp_path / "new").exists()


@pytest.mark.train
@needs_tensorflow
@pytest.mark.parametrize(
    ("files", "kind", "said"),
    [
        (
            {"data": "def load(points):\n    raise RuntimeError('no data')\n"},
            ModelError,
            "line 2: RuntimeError: no data",
        ),
        ({"data": "def load(dots):\n    pass\n"}, UsageError, r"\[data\] in recipe.toml does not fit"),
        ({"model": "def build():\n    import keras\n    return keras.Sequential()\n"}, ModelError, "returned a keras"),
    ],
)
def test_errors_of_the_recipe_arrive_and_an_earlier_model_stays(
    tmp_path: Path, files: dict[str, str], kind: type[TinyEdgeError], said: str
) -> None:
    recipe = load_recipe(write_recipe(tmp_path / "clouds", **files))
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / MODEL).write_bytes(b"earlier")
    with pytest.raises(kind, match=said):
        train_model(recipe, folder)
    assert files_in(folder) == [MODEL]
    assert (folder / MODEL).read_bytes() == b"earlier"


def test_a_missing_package_is_named_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package == "tf-keras":
            raise metadata.PackageNotFoundError(package)
        return "1"

    monkeypatch.setattr(metadata, "version", version)
    with pytest.raises(ToolError, match="`tf-keras`, which is not installed") as caught:
        train_model(load_recipe(write_recipe(tmp_path / "clouds")), tmp_path / "trained")
    assert caught.value.exit_code == 3
    assert f"`{extra_command('train')}`" in caught.value.hint
    assert not (tmp_path / "trained").exists()


@needs_tensorflow
def test_a_folder_that_cannot_be_made_is_found_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    started = time.monotonic()
    with pytest.raises(UsageError, match=r"nothing can be written into .*file/trained"):
        train_model(load_recipe(write_recipe(tmp_path / "clouds")), tmp_path / "file" / "trained")
    assert time.monotonic() - started < 1


LONG = RECIPE.replace("epochs = 2", "epochs = 100000", 1)
SCRIPT = """\
import sys
from pathlib import Path

from tinyedge.train import load_recipe, train_model

train_model(load_recipe(Path(sys.argv[1])), Path(sys.argv[2]), progress=lambda *step: print(*step, flush=True))
"""


@contextmanager
def training_in_progress(folder: Path) -> Iterator[process.Child]:
    """A program that trains, in the middle of its stage `fit`; its temporary files lie in folder/temporary."""
    (folder / "temporary").mkdir()
    recipe = write_recipe(folder / "clouds", recipe=LONG)
    argv = [sys.executable, "-c", SCRIPT, str(recipe), str(folder / "new" / "trained")]
    with process.start(argv, env={"TMPDIR": str(folder / "temporary")}, merge_stderr=True) as child:
        line = b""
        while not line.startswith(b"fit"):
            line = child.stdout.readline()
            assert line, "it ended before it trained"
        assert len(workers_of(folder)) == 1
        yield child


def workers_of(folder: Path) -> list[int]:
    """Processes whose command line names a file in folder/temporary."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder / "temporary").encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


needs_proc = pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs Linux's /proc to see processes")


@pytest.mark.train
@needs_tensorflow
@needs_proc
def test_ctrl_c_leaves_no_file_and_no_process(tmp_path: Path) -> None:
    with training_in_progress(tmp_path) as child:
        os.kill(child.pid, signal.SIGINT)
        assert wait_until(lambda: child.poll() is not None)
        assert b"KeyboardInterrupt" in child.stdout.read()
        assert not workers_of(tmp_path)
    assert not (tmp_path / "new").exists()
    assert files_in(tmp_path / "temporary") == []


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
@needs_proc
def test_the_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    with training_in_progress(tmp_path) as child:
        os.kill(child.pid, signal.SIGKILL)
        assert wait_until(lambda: not workers_of(tmp_path))
    assert files_in(tmp_path / "new" / "trained") == []


@pytest.mark.parametrize(
    "line",
    [
        "", "half", "[]", "3", "null", "[" * 100_000, '{"progress": 5}', '{"progress": ["fit"]}', '{"note": 4}',
        '{"progress": ["fit", 1, "2"]}', '{"figures": 7}', '{"figures": {}}', '{"error": {"kind": "OSError"}}',
        '{"error": {"kind": "OSError", "what": "", "hint": ""}}', '{"error": null}', '{"if_ended": "x"}',
        '{"note": "a", "progress": ["fit", 1, 2]}', '{"kind": "x"}',
    ],
)  # fmt: skip
def test_what_a_recipe_writes_on_the_pipe_is_no_message(line: str) -> None:
    assert read_message(line) is None


@pytest.mark.parametrize(
    "line",
    [
        '{"note": "a"}', '{"progress": ["fit", 1, 2]}', '{"figures": {"model": "m", "heads": ["a"], "metrics": {}}}',
        '{"error": {"kind": "ModelError", "what": "a", "hint": ""}}',
        '{"if_ended": {"kind": "TinyEdgeError", "what": "a", "hint": ""}}',
    ],
)  # fmt: skip
def test_what_the_worker_says_is_a_message(line: str) -> None:
    assert read_message(line) == json.loads(line)
