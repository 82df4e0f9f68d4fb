"""What a front is: it brings a model of one world in as a float .tflite, with what the source itself answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tinyedge.data import Arrays
from tinyedge.graph.ir import Array

FLOAT, MODEL, ARRAYS, RESULT = "float.tflite", "model.tflite", "arrays.npz", "result.json"
"""what a conversion leaves in its folder"""
TRAINING, UNTRAINED, PROGRESS = "training.npz", "untrained.tflite", "progress.json"
"""of quantization-aware training: its samples with `labels`, the model without it, and how far it is"""


@dataclass(frozen=True)
class Settings:
    """How a model is converted.

    types      of activations and weights: a key of `layer_types.TYPES`
    layers     (pattern of tensor names, type) for layers that are to differ; later ones go before earlier ones
    calibrate  how many samples, spread evenly, show the range of each activation
    samples    how many samples, spread evenly, the result is compared on, and keeps
    signature  which function of the source; None: its default, or the only one
    qat        epochs of quantization-aware training; 0: quantized after training alone
    python     another Python, for fronts that need packages which do not go with tinyedge's
    timeout_s  how long the conversion may take
    """

    types: str = "int8"
    layers: tuple[tuple[str, str], ...] = ()
    calibrate: int = 200
    samples: int = 1000
    signature: str | None = None
    qat: int = 0
    python: str | None = None
    timeout_s: float = 900.0

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "layers": [list(pair) for pair in self.layers]}

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> Settings:
        return cls(**{**table, "layers": tuple((name, kind) for name, kind in table["layers"])})


DEFAULTS = Settings()


@dataclass(frozen=True, eq=False)
class Brought:
    """What a front makes of a source.

    tflite    the model; float, or full int8 already where `exact` says so
    inputs    the data as the model takes it: one array [N, *shape without the batch] for each input
    outputs   what the source itself answers, for each output of `tflite` and in its layout: [N, ...]
    quantize  the front's own quantization, for what the quantizer of .tflite files leaves in float; takes the
              calibration samples
    exact     the source had its own scales: there is nothing to quantize
    rebuild   (the model in tf_keras, the samples given as it takes them), for quantization-aware training
    """

    tflite: bytes
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    quantize: Callable[[Sequence[Array]], bytes] | None = None
    exact: bool = False
    notes: tuple[str, ...] = field(default=())
    rebuild: Callable[[Arrays], tuple[Any, tuple[Array, ...]]] | None = None


def model_of(front: Front) -> str:
    """`a Keras 3 model`, `an ONNX model`."""
    return f"{'an' if front.title[0] in 'AEIOU' else 'a'} {front.title} model"


class Front(Protocol):
    """One world that models come from; each module of this room that is one states it as `FRONT`."""

    @property
    def title(self) -> str:
        """What reports call its models, without article: `ONNX`."""
        ...

    @property
    def packages(self) -> Sequence[tuple[str, str]]:
        """(distribution, extra of tinyedge that brings it) of what it imports."""
        ...

    @property
    def can_rebuild(self) -> bool:
        """Whether it can give its models layer by layer, as quantization-aware training needs them."""
        ...

    def recognizes(self, path: Path, head: bytes) -> bool:
        """Whether a path holds its kind of model. `head` has the first bytes of a file; it is empty for a folder."""
        ...

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        """The model. It runs in a child process, may print, crash or hang, and may use `folder` for what it makes.

        Raises: ModelError, UsageError in the words of this source
        """
        ...

    def surroundings(self, path: Path, settings: Settings) -> str | None:
        """What else than the source, the data and `packages` a conversion depends on; None when nobody can know: then
        it is not kept."""
        ...

    def outside(self, path: Path, settings: Settings, folder: Path) -> list[str] | None:
        """A program that has to run before `bring`, in the same folder, which has the data as `arrays.npz`; or None."""
        ...
