"""Trains a recipe in a child process and keeps the result, or leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tinyedge import errors, process
from tinyedge.artifacts import QuantizedModel
from tinyedge.errors import InternalError, TinyEdgeError, ToolError, error_told
from tinyedge.install import require_package
from tinyedge.paths import scratch_folder
from tinyedge.train import store
from tinyedge.train.fit import Progress
from tinyedge.train.recipe import Recipe

_EXTRA = ("tensorflow", "tf-keras", "tensorflow-model-optimization")
_WIDER_THAN_AVX2 = "X86_V4 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
"""in the words of NumPy 2.4, and of those before it"""
_ENVIRONMENT = {
    # One thread: sums are added up in one order.
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    # AVX2 at most, which any x86 of the last ten years has: wider units add up in another order, and a model trained
    # with AVX-512 has other bits. TensorFlow multiplies matrices by oneDNN, NumPy by OpenBLAS.
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": _WIDER_THAN_AVX2,
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",  # the recipe's folder stays as it was
}
FLOAT_STAGES = "float"
"""folder beside those of trained models"""
_LARGEST_EXIT = 255
"""above it are the codes of exceptions of Windows"""
_FOREIGN = ("TF_", "XLA_", "KERAS_", "OMP_", "KMP_", "MKL_", "OPENBLAS_", "ONEDNN_", "DNNL_", "NPY_", "CUDA_", "PYTHON")
"""beginnings of the names of variables that change what is computed, or which code runs"""
_ERRORS = {
    kind.__name__ for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TinyEdgeError)
}
_LOG_LINES = 8
"""lines of the child's log that an error quotes"""


def train_model(
    recipe: Recipe, folder: Path, *, progress: Progress | None = None, note: Callable[[str], None] | None = None
) -> QuantizedModel:
    """Train, compress, convert and evaluate; write model.tflite, samples.npz and metrics.json into `folder`.

    note  is told, before the training starts, what a person should know of how it will be

    The work is done by `tinyedge.train.worker` in a process of its own, so TensorFlow's noise, memory and crashes
    stay out of this one. Whatever ends this early, Ctrl-C included, ends the child and leaves no file but the float
    stage, if it was done: it lies beside `folder`, and the next training goes on from it.

    Raises: ToolError when TensorFlow is missing or the child crashed; ModelError and UsageError of the recipe;
            UsageError when the folder cannot be written
    """
    require_extra()
    before = store.training_digest(recipe)
    with _new_folder(folder), scratch_folder("train") as scratch:
        listener = _Listener(progress or (lambda _stage, _done, _total: None), note or (lambda _text: None))
        figures = _run_worker(recipe, scratch, folder.parent / FLOAT_STAGES, listener)
        files = {name: (scratch / name).read_bytes() for name in (store.MODEL, store.SAMPLES)}
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        store.write_trained(
            folder,
            files,
            {**figures, "training_digest": before, "trained_at": now, "trained_by": store.training_machine()},
        )
        trained = store.load_trained(folder)
    if trained is None:
        raise InternalError(f"the model written into {folder} cannot be read back")
    return trained


def require_extra() -> None:
    """Raises: ToolError when a package that training needs is not installed."""
    for package in _EXTRA:
        require_package("training", package, "train")


@contextlib.contextmanager
def _new_folder(folder: Path) -> Iterator[None]:
    """`folder`, made and found writable before minutes are spent; what was made goes again when the block fails."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        yield
    except BaseException as error:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
        if isinstance(error, OSError):
            raise store.cannot_write(folder, error) from error
        raise


@dataclass
class _Listener:
    """What the child said so far, and who is told it."""

    progress: Progress
    note: Callable[[str], None]
    stage: str = "start"
    if_ended: dict[str, str] | None = None
    """the error it is when the child ends in this stage without another word"""

    def hear(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Pass one message on; the figures when it is the last. Raises: the error it tells."""
        if "progress" in message:
            stage, done, total = message["progress"]
            if stage != self.stage:
                self.stage, self.if_ended = stage, None
            self.progress(stage, done, total)
        elif "note" in message:
            self.note(message["note"])
        elif "if_ended" in message:
            self.if_ended = message["if_ended"]
        elif "error" in message:
            raise error_told(message["error"])
        else:
            return dict(message["figures"])
        return None


def _run_worker(recipe: Recipe, scratch: Path, keep: Path, listener: _Listener) -> dict[str, Any]:
    """Run the child to its end. Returns the figures of metrics.json."""
    job = scratch / "job.json"
    text = json.dumps({"folder": str(recipe.folder), "keep": str(keep), "recipe": recipe.to_json()})
    job.write_text(text, encoding="utf-8")
    argv = process.python_module("tinyedge.train.worker", str(job))
    # What libraries leave behind, as AutoGraph its generated sources, goes with the scratch folder.
    temporary = {name: str(scratch) for name in ("TMPDIR", "TEMP", "TMP")}
    with process.start(argv, env={**worker_environment(), **temporary}, inherit=False) as child:
        for line in child.lines():
            message = read_message(line)
            figures = None if message is None else listener.hear(message)
            if figures is not None:
                return figures
        code = child.wait(timeout_s=10.0)
        printed = child.last_words()
    log = scratch / "worker.log"
    if log.is_file():
        printed += log.read_text(encoding="utf-8", errors="replace").splitlines()
    if listener.if_ended is not None and code is not None and _is_crash(code):
        raise error_told(
            {**listener.if_ended, "what": f"{listener.if_ended['what']}: its process {process.describe_exit(code)}"}
        )
    raise ToolError(
        f"training `{recipe.name}` broke off in stage `{listener.stage}`: its process "
        f"{'did not end' if code is None else process.describe_exit(code)}"
        + process.quote_log(printed, most=_LOG_LINES),
        hint=_hint(recipe, listener.stage),
    )


def _is_crash(code: int) -> bool:
    """Whether a process ended by a fault of its own code, and not by another's signal or an exit of its own."""
    faults = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, getattr(signal, "SIGBUS", signal.SIGSEGV)}
    return -code in faults or code > _LARGEST_EXIT


def _hint(recipe: Recipe, stage: str) -> str:
    """What to try, of what is in this recipe."""
    names = [technique.name for technique in recipe.compress]
    if stage in names:
        return f"try it without the technique `{stage}` in recipe.toml"
    if names and stage == "convert":
        return f"try it without {' and '.join(f'`{name}`' for name in names)} in recipe.toml"
    if stage == "load":
        return "run `load` of data.py by itself"
    return f"a smaller model, or less data, if memory ran out; else `build` of {recipe.folder.name}/model.py by itself"


def worker_environment() -> dict[str, str]:
    """The user's variables but for those that would change the result, and those that hold it still; where Python finds
    modules stays."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_FOREIGN) or name in ("PYTHONPATH", "PYTHONHOME")
    }
    return {**own, **_ENVIRONMENT}


def read_message(line: str) -> dict[str, Any] | None:
    """One message of the worker; None for what else its code wrote on that pipe."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    known = isinstance(message, dict) and len(message) == 1 and all(_is_known(*item) for item in message.items())
    return message if known else None


def _is_known(kind: str, content: object) -> bool:
    """Whether it is what the worker says, in the form in which it says it."""
    match kind, content:
        case ("note", str()) | ("progress", [str(), int(), int()]) | ("figures", {"model": _, "heads": [*_]}):
            return True
        case (("error" | "if_ended"), {"kind": str() as name, "what": str(), "hint": str()}):
            return name in _ERRORS
    return False
