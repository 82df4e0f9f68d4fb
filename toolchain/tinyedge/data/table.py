"""The table that says which data: `[data]` of a recipe with a `source`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tinyedge.tables import require_range

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s)")
_UNITS = {"ms": 0.001, "s": 1.0}


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """Which data, how it is split, and how it is cut. Everything but `source` may be left out."""

    source: Path
    """a file or folder, relative to the recipe"""
    classes: tuple[str, ...] = ()
    """the classes in their order; default: all, sorted. Others are left out, or are the class `_unknown_` when that is
    listed; `_silence_` is cut out of a folder `_background_noise_`"""
    labels: str = ""
    """the column of a CSV, or array of a .npz, with the class of each row; default: the one called label"""
    columns: tuple[str, ...] = ()
    """the columns of a CSV that are read; default: all with a name but time, label and group"""
    group: str = ""
    """the subject: a regular expression on the relative path, whose first group it is; or a column of a CSV"""
    test: float | tuple[str, ...] | None = None
    """share of the groups; or a list of groups, files, folders and patterns of them. Default: as the format says, else
    0.2"""
    validation: float | tuple[str, ...] | None = None
    """the same; default: as the format says, else 0.1. 0: no such part"""
    seed: int = 1
    """another one draws other groups"""
    window: int | str | None = None
    """samples of time, as 150, or a duration, as "1 s"; recordings are cut into windows after they are split"""
    stride: int | str | None = None
    """from one window to the next; default: the window, which gives no overlap"""
    pad: bool = False
    """zeros behind recordings that are shorter than the window, instead of an error"""
    rate_hz: float | None = None
    """the rate that the recordings must have; of a CSV without a column of time: the rate they have"""
    mono: bool = False
    """the channels of a sound are mixed down to one, instead of an error"""
    size: tuple[int, int] | None = None
    """height and width that images are resized to, instead of an error for mixed sizes"""
    grey: bool = False
    """images become grey: one channel"""

    def __post_init__(self) -> None:
        try:
            re.compile(self.group)
        except re.error as error:
            raise ValueError(f"`group` is no regular expression: {error}") from None
        for name, share in (("test", self.test), ("validation", self.validation)):
            if isinstance(share, int | float):
                require_range(name, share, 0, 0.9)
            elif share is not None and not share:
                raise ValueError(f"`{name}` is an empty list; leave it out, or name groups, files or folders")
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("`classes` names one twice")
        for name, span in (("window", self.window), ("stride", self.stride)):
            if isinstance(span, int):
                require_range(name, span, 1)
            elif span is not None and not _DURATION.fullmatch(span):
                raise ValueError(f'`{name}` is `{span}`; write samples, as 150, or a duration, as "1 s" or "500 ms"')
        if self.stride is not None and self.window is None:
            raise ValueError("`stride` without a `window`")
        if self.rate_hz is not None:
            require_range("rate_hz", self.rate_hz, 1e-3, 1e9)
        require_range("seed", self.seed, 0, (1 << 32) - 1)
        if self.size is not None:
            for side in self.size:
                require_range("size", side, 1, 4096)

    def samples(self, span: int | str, rate_hz: float | None) -> int:
        """How many samples a window or stride has. Raises: ValueError for a duration at an unknown rate."""
        if isinstance(span, int):
            return span
        if rate_hz is None:
            raise ValueError(f"`{span}` is a duration, and nothing says the rate of the recordings; give `rate_hz`")
        matched = _DURATION.fullmatch(span)
        assert matched is not None
        return max(1, round(float(matched[1]) * _UNITS[matched[2]] * rate_hz))
