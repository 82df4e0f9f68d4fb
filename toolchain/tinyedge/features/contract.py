"""What features are to tinyedge: how samples of a sensor become the input of a network, in integers alone.

One file in this folder per kind: a frozen dataclass of its parameters, found by discovery, which is read from a table
`[features]`. It says what it takes and gives, computes the tables of constants, has a reference in numpy, and names the
C that computes the same to the last bit. The C stands in firmware_templates/features/ and, as far as it is shared with
operators, in firmware_templates/runtime/portable/.

Words: an *instant* is one sample of each axis; a *row* is what is computed of one window, `channels` values; the
windows of a signal begin `stride` instants apart; a network takes one row or several.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.graph.ir import DType, integer_range
from tinyedge.kernels.contract import Constant

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class FeatureCode:
    """The C of features with given parameters.

    function       `te_log_mel`: its file in firmware_templates/features/ has, of a struct <function>_params,
                       void <function>_frame(const <function>_params *p, void *state, void *scratch,
                                             const <sample type> *samples, int16_t *values);
                   one row of one window, [window][axes] -> [channels]; and where there is state
                       void <function>_reset(const <function>_params *p, void *state);
    params         the definition of the constant struct `params_name`, which may name `constants`
    state_bytes    what lasts from one row to the next, aligned to 8 bytes; 0: rows do not depend on each other
    scratch_bytes  what is free between two rows, aligned to 8 bytes
    runtime        further file stems of firmware_templates/features/ or runtime/portable/
    """

    function: str
    params_name: str
    params: str
    constants: tuple[Constant, ...] = ()
    state_bytes: int = 0
    scratch_bytes: int = 0
    runtime: tuple[str, ...] = ()


class Features(abc.ABC):
    """Features of one kind with their parameters; a kind is a frozen dataclass of what a table may hold."""

    kind: ClassVar[str]
    """as tables name it"""
    sample_dtype: ClassVar[DType] = DType.INT16
    """of a sample: int16, uint16 or uint8"""

    @property
    @abc.abstractmethod
    def rate_hz(self) -> int:
        """Instants in a second; 0 for what has no rate, as pictures."""

    @property
    def is_quantized(self) -> bool:
        """Whether values become the network's integers by adding its zero point; else they are scaled to its scale."""
        return False

    @property
    def axes(self) -> int:
        """Samples of an instant."""
        return 1

    @property
    @abc.abstractmethod
    def window(self) -> int:
        """Instants that a row is computed of."""

    @property
    @abc.abstractmethod
    def stride(self) -> int:
        """Instants from one window to the next, at most `window`."""

    @property
    @abc.abstractmethod
    def channels(self) -> int:
        """Values of a row."""

    @property
    def counts(self) -> float:
        """Samples of one unit of what data files hold: sound from -1 to 1 is int16 of full scale."""
        return 32768.0

    def to_samples(self, values: Array) -> Array:
        """What the sensor gives, of a recording as data files hold it; samples stay as they are.

        Shape:  floats or whole numbers [instants, ...] -> `sample_dtype` [instants, ...]
        """
        if values.dtype == self.sample_dtype.numpy:
            return values
        low, high = integer_range(self.sample_dtype)
        real = values.astype(np.float64) * self.counts
        return np.clip(np.rint(real), low, high).astype(self.sample_dtype.numpy)

    @property
    @abc.abstractmethod
    def unit(self) -> float:
        """Of values: what a network is trained on are values times the unit."""

    @abc.abstractmethod
    def reference(self, samples: Array) -> Array:
        """The rows of a signal from its beginning, in numpy.

        Shape:  samples [instants, axes] -> int16 [rows, channels], a row for each whole window
        """

    @abc.abstractmethod
    def emit(self, prefix: str) -> FeatureCode:
        """The C; names that it defines begin with `prefix`."""

    @property
    def window_bytes(self) -> int:
        return self.window * self.axes * self.sample_dtype.bytes

    def rows(self, instants: int) -> int:
        """How many whole windows a signal has."""
        return 0 if instants < self.window else 1 + (instants - self.window) // self.stride

    def instants(self, rows: int) -> int:
        """How long a signal of so many rows is."""
        return self.window + (rows - 1) * self.stride
