"""A training that was interrupted goes on after its last whole epoch, and gives what an uninterrupted one would.

A checkpoint holds the weights, the optimizer, the generators of random numbers, what was told of each epoch, and the
best weights so far. It is written whole, under the digest of all that determines the training, one for each stage, and
goes when all stages are done.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.cache import Store
from tinyedge.train.generators import give_states, take_states

_SUFFIX = ".epoch"
EVERY_S = 1.0
"""epochs that end sooner after the last checkpoint write none: so much is lost at most"""

Row = dict[str, Any]
"""figures of one epoch"""


@dataclass
class Progressed:
    """How far a stage has come."""

    epoch: int = 0
    """epochs that are done"""
    rows: list[Row] = field(default_factory=list)
    """of these epochs"""
    best: list[Any] | None = None
    """weights of the epoch with the smallest validation loss"""
    best_loss: float = float("inf")
    best_epoch: int = 0
    is_done: bool = False
    """nothing is left to train"""


class Keeper:
    """Keeps the checkpoints of a training's stages.

    folder  where they lie; what lay there of another training goes
    name    digest of what determines the training
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._store = Store(folder, _SUFFIX)
        self._name = name
        self._written = time.monotonic()

    def save(self, stage: str, model: Any, progressed: Progressed) -> None:
        """Keep how far `stage` has come, unless that was done a moment ago and the stage goes on."""
        if time.monotonic() - self._written < EVERY_S and not progressed.is_done:
            return
        head = {
            "epoch": progressed.epoch,
            "rows": progressed.rows,
            "best_loss": progressed.best_loss if progressed.best is not None else None,
            "best_epoch": progressed.best_epoch,
            "states": take_states(model),
        }
        arrays = {
            "head": np.frombuffer(json.dumps(head).encode(), np.uint8),
            **_numbered("w", model.get_weights()),
            **_numbered("o", [variable.numpy() for variable in model.optimizer.variables]),
            **_numbered("b", progressed.best or []),
        }
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        self._store.put(self._of(stage), stream.getvalue())
        self._remove(but=self._name)
        self._written = time.monotonic()

    def restore(self, stage: str, model: Any) -> Progressed:
        """Bring a compiled model, and the generators, to where the checkpoint of `stage` is; the start without one."""
        data = self._store.get(self._of(stage))
        if data is None:
            return Progressed()
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        head = json.loads(arrays["head"].tobytes())
        model.set_weights(_series("w", arrays))
        model.optimizer.build(model.trainable_variables)
        for variable, value in zip(model.optimizer.variables, _series("o", arrays), strict=True):
            variable.assign(value)
        give_states(model, head["states"])
        best = _series("b", arrays)
        return Progressed(
            epoch=head["epoch"],
            rows=head["rows"],
            best=best or None,
            best_loss=head["best_loss"] if best else float("inf"),
            best_epoch=head["best_epoch"],
        )

    def done(self) -> None:
        """The training is finished: no checkpoint is needed."""
        self._remove()

    def _of(self, stage: str) -> str:
        return f"{self._name}.{stage}"

    def _remove(self, but: str = "") -> None:
        for path in self._store.folder.glob(f"*{_SUFFIX}"):
            if not but or not path.name.startswith(f"{but}."):
                path.unlink(missing_ok=True)


def _numbered(letter: str, arrays: list[Any]) -> dict[str, Any]:
    return {f"{letter}{index}": array for index, array in enumerate(arrays)}


def _series(letter: str, arrays: Mapping[str, Any]) -> list[Any]:
    names = (f"{letter}{index}" for index in range(len(arrays)))
    return [arrays[name] for name in names if name in arrays]
