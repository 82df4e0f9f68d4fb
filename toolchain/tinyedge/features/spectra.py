"""What features on the FFT of int32 share: its tables in C, and bands whose triangles overlap by half."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.fft import S32, order, real_twiddles, twiddles
from tinyedge.arithmetic.filter_bank import Bands
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Constant

WEIGHT_BITS = 14
"""fraction bits of shares"""


def fft_s32_constants(prefix: str, length: int) -> tuple[tuple[Constant, ...], str]:
    """(tables, the struct `<prefix>_fft`) of a transform of so many real samples."""
    points = length // 2
    constants = (
        Constant(
            f"{prefix}_twiddles", "int32_t", twiddles(points, S32)[: 3 * points // 4].reshape(-1), 4, "of the FFT"
        ),
        Constant(f"{prefix}_real_twiddles", "int32_t", real_twiddles(points, S32).reshape(-1), 4, "of its last step"),
        Constant(f"{prefix}_order", "uint16_t", order(points), 2, "of its samples"),
    )
    members: dict[str, Value] = {
        "points": points,
        "twiddles": f"{prefix}_twiddles",
        "real_twiddles": f"{prefix}_real_twiddles",
        "order": f"{prefix}_order",
    }
    return constants, params_struct("te_rfft_s32_params", f"{prefix}_fft", members)


def triangles(
    places: npt.NDArray[np.float64], edges: Sequence[float], holds: Callable[[float, float, float], bool]
) -> Bands:
    """Triangles between edges, each from the edge before its middle to the one behind it.

    places  of the bins, on the scale of the edges, ascending
    edges   ascending, two more than there are triangles
    holds   (place, low edge, high edge) -> whether a bin belongs to the part between two edges
    """
    starts: list[int] = []
    first: list[int] = []
    widths: list[int] = []
    weights: list[float] = []
    for low, high in itertools.pairwise(edges):
        inside = [at for at, place in enumerate(places.tolist()) if high > low and holds(place, low, high)]
        starts.append(inside[0] if inside else 0)
        first.append(len(weights))
        widths.append(len(inside))
        weights += [(high - places[at]) / (high - low) for at in inside]
    shares = np.clip(np.array(weights), 0, 1)
    one = 1 << WEIGHT_BITS
    scaled = [np.floor(values * one + 0.5) for values in (shares, 1 - shares)]
    return Bands(*(np.array(values).astype(np.int16) for values in (starts, first, widths, *scaled)))
