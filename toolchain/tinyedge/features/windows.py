"""Windows of a signal."""

from __future__ import annotations

import numpy as np

from tinyedge.features.contract import Array
from tinyedge.tables import require_range


def cut_windows(samples: Array, window: int, stride: int) -> Array:
    """All whole windows. Shape: [instants, axes] -> [rows, window, axes], a view."""
    if len(samples) < window:
        return np.empty((0, window, samples.shape[1]), samples.dtype)
    views = np.lib.stride_tricks.sliding_window_view(samples, window, axis=0)
    return views[::stride].transpose(0, 2, 1)


def check_stride(window: int, stride: int) -> None:
    """Raises: ValueError when windows would leave samples out between them."""
    require_range("window", window, 1)
    require_range("stride", stride, 1, window)
