"""What a format of data is, and what reading one gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tinyedge.graph.ir import Array

LABELS = ("labels", "label", "y", "y_test", "targets")
"""names of the array with what each sample is"""


class Format(Protocol):
    """One way in which data lies on disk; each module of this room that is one states it as `FORMAT`."""

    @property
    def title(self) -> str:
        """What an error calls it, with its article."""
        ...

    def recognizes(self, path: Path, head: bytes) -> bool:
        """Whether a path holds this format. `head` has the first bytes of a file; it is empty for a folder."""
        ...

    def read(self, path: Path) -> Mapping[str, Array]:
        """Arrays by their names, in the order of the file. Raises: UsageError when it is damaged or too large."""
        ...


@dataclass(frozen=True, eq=False)
class Arrays:
    """Samples of a model's inputs, and what they are.

    inputs  arrays [N, ...] by their names, in the order of the source
    labels  [N, ...] of the first output; None when there are none
    """

    inputs: Mapping[str, Array]
    labels: Array | None = None

    @property
    def count(self) -> int:
        """N."""
        return len(next(iter(self.inputs.values())))
