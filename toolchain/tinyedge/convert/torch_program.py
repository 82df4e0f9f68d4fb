"""The program that another Python runs, with torch and litert-torch: `python torch_program.py SOURCE FOLDER`.

It uses nothing of tinyedge. FOLDER has the data as arrays.npz (`x_0`, `x_1`...); there it leaves torch.tflite, and
torch.npz with `input_0`... as that model takes them and `output_0`... as the source answers; or an error
as result.json.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

INSTALL = "`python -m venv torch-env && torch-env/bin/pip install litert-torch`, then `--python torch-env/bin/python`"


class RefusedError(Exception):
    """An error that is told: its kind among tinyedge's, what, and a hint."""

    def __init__(self, kind: str, what: str, hint: str) -> None:
        super().__init__(what)
        self.table = {"kind": kind, "what": what, "hint": hint}


def main(source: str, folder: Path) -> int:
    try:
        run(source, folder)
    except RefusedError as refused:
        (folder / "result.json").write_text(json.dumps({"error": refused.table}), encoding="utf-8")
    return 0


def run(source: str, folder: Path) -> None:
    for package, name in (("torch", "torch"), ("litert_torch", "litert-torch")):
        if importlib.util.find_spec(package) is None:
            raise RefusedError("MissingToolError", f"the Python {sys.executable} has no package `{name}`", INSTALL)
    import litert_torch
    import numpy as np
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = load(source)
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        arrays = [stored[f"x_{index}"] for index in range(len(stored.files))]
    samples = [torch.from_numpy(array if array.dtype.kind in "iu" else array.astype(np.float32)) for array in arrays]
    outputs = answers(model, samples)
    images = [index for index, array in enumerate(arrays) if array.ndim == 4]
    first = tuple(sample[:1] for sample in samples)
    wrapped = litert_torch.to_channel_last_io(model, args=images) if images else model
    given = tuple(sample.permute(0, 2, 3, 1) if index in images else sample for index, sample in enumerate(first))
    litert_torch.convert(wrapped.eval(), given).export(str(folder / "torch.tflite"))
    laid = [array.transpose(0, 2, 3, 1) if index in images else array for index, array in enumerate(arrays)]
    np.savez(
        folder / "torch.npz",
        **{f"input_{index}": array for index, array in enumerate(laid)},
        **{f"output_{index}": array for index, array in enumerate(outputs)},
    )


def load(source: str) -> Any:
    """The module of a .pt2, or what a function of a script returns."""
    import torch

    path, _, function = source.rpartition(":") if ".py:" in source else (source, "", "")
    if not function:
        try:
            exported = torch.export.load(path).module()
        except Exception as error:
            raise RefusedError(
                "ModelError",
                f"torch {torch.__version__} cannot load the exported program: {_first(error)}",
                "save it again with this version: `torch.export.save(torch.export.export(model, inputs), file)`",
            ) from error
        exported.train = exported.eval = lambda *_: exported  # it is for inference, and refuses to be asked
        return exported
    sys.path.insert(0, str(Path(path).parent))
    spec = importlib.util.spec_from_file_location("source_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    build = getattr(module, function, None)
    if not callable(build):
        raise RefusedError(
            "UsageError", f"`{path}` has no function `{function}`", "name the function that returns the model"
        )
    model = build()
    if not isinstance(model, torch.nn.Module):
        raise RefusedError(
            "UsageError", f"`{function}` returned a {type(model).__name__}", "return a trained torch.nn.Module"
        )
    return model.eval()


def answers(model: Any, samples: list[Any]) -> list[Any]:
    """What the source answers to each sample, with a batch of 1 as the device has it."""
    import numpy as np
    import torch

    rows = []
    for sample in range(len(samples[0])):
        given = [entry[sample : sample + 1] for entry in samples]
        try:
            with torch.no_grad():
                found = model(*given)
        except (RuntimeError, TypeError, ValueError, AssertionError) as error:
            shapes = ", ".join(f"{entry.dtype} {list(entry.shape)}" for entry in given)
            raise RefusedError(
                "UsageError",
                f"the model cannot take the data, {shapes}: {_first(error)}",
                "give samples as the model takes them, [N, channels, height, width], one array for each input",
            ) from error
        rows.append([entry.numpy() for entry in (found if isinstance(found, (tuple, list)) else [found])])
    return [np.concatenate(column) for column in zip(*rows, strict=True)]


def _first(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:300]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
