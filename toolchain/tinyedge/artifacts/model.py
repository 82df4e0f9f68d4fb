"""A quantized model: what training or a file gives, and what every stage behind it starts from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from tinyedge.artifacts.class_names import read_class_names
from tinyedge.artifacts.display import Displayed
from tinyedge.digests import digest
from tinyedge.errors import ModelError, UsageError
from tinyedge.features.contract import Features
from tinyedge.features.stream import StreamSettings

MOST_FILE_BYTES = 256 << 20
"""far more than any board has flash: a larger file is none, and is not read"""

LONGEST_NAME = 40
"""characters of a model's name in the firmware's banner"""


@dataclass(frozen=True, eq=False)
class Labelled:
    """An output behind the first whose test set has classes."""

    output: int
    """its number"""
    name: str
    labels: npt.NDArray[Any]
    """[N, *places]"""
    float_accuracy: float | None = None
    int8_accuracy: float | None = None


@dataclass(frozen=True, repr=False)
class QuantizedModel(Displayed):
    """A full-int8 .tflite, and, when tinyedge trained it, its accuracies and its test set.

    `samples` has an array [N, *input shape] for each input, int8 or int32 of tokens; `labels` [N] are the classes of
    the first output, [N, *places] where it has one at each of many places. Both are None for a model without data.
    """

    name: str
    tflite: bytes
    digest: str
    float_accuracy: float | None = None
    int8_accuracy: float | None = None
    sparsity: float | None = None
    """share of zero weights"""
    samples: tuple[npt.NDArray[Any], ...] | None = None
    labels: npt.NDArray[Any] | None = None
    """None for a regression too, which has no accuracy"""
    further_labels: tuple[Labelled, ...] = ()
    """of the outputs behind the first"""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """further figures of the training by name, e.g. `int8_mean_absolute_error`, `parameters`, `train_seconds`"""
    class_names: tuple[str, ...] = ()
    """of the first output's channels, in their order; empty where nobody said them"""
    made_up: str = ""
    """what stood in for real data in training and test, if anything"""
    trained_by: Mapping[str, str] = field(default_factory=dict)
    """the processor, the system, and the version of each package that a training ran with; empty without a training"""
    features: Features | None = None
    """what its only input is computed of, on the device too; None: of nothing that tinyedge knows"""
    stream: StreamSettings | None = None
    """how it listens to a signal; None: by the defaults, where it can"""
    raw_samples: npt.NDArray[Any] | None = None
    """[N, instants, axes], what the features of `samples` were computed of; None without features"""

    @classmethod
    def from_file(cls, path: Path) -> QuantizedModel:
        """A finished .tflite, named after its file. Raises: OSError; ModelError for a file of a size no model has."""
        size = path.stat().st_size
        if size > MOST_FILE_BYTES:
            raise ModelError(
                f"`{path}` has {size:,} B; a model for a microcontroller has at most {MOST_FILE_BYTES:,} B",
                hint="give a .tflite, e.g. what tf.lite.TFLiteConverter.convert() returns",
            )
        data = path.read_bytes()
        return cls(model_name(path), data, digest(data), class_names=read_class_names(data))

    def __repr__(self) -> str:
        return f"<QuantizedModel {self.name} {self.digest[:16]}: {len(self.tflite):,} B>"

    def figures(self) -> dict[str, Any]:
        """What documents say of a model."""
        return {
            "model": self.name,
            "digest": self.digest,
            "tflite_bytes": len(self.tflite),
            "accuracy": {"float": self.float_accuracy, "int8": self.int8_accuracy},
            "sparsity": self.sparsity,
            "metrics": dict(self.metrics),
            **({"made_up_data": self.made_up} if self.made_up else {}),
            "class_names": list(self.class_names),
            **({"trained_by": dict(self.trained_by)} if self.trained_by else {}),
        }


_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def check_name(name: str) -> None:
    """Raises: UsageError when a model of this name cannot stand in the firmware's banner, or would leave its folder."""
    if not _NAME.fullmatch(name) or not name.strip("."):
        raise UsageError(
            f"model name `{name}` cannot stand in the firmware's banner",
            hint="use up to 40 letters, digits, `_`, `-` and `.`",
        )


def model_name(path: Path) -> str:
    """A name for folders, symbols and the banner, from the name of a file; long ones end in a digest of the whole.

    >>> model_name(Path("my net (v2).tflite"))
    'my_net_v2'
    >>> len(model_name(Path("a" * 200 + ".tflite")))
    40
    """
    name = re.sub(r"[^A-Za-z0-9]+", "_", path.stem).strip("_") or "model"
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 9]}_{digest(name)[:8]}"
