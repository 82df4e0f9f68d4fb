"""What hangs on numbers alone is found once for a layer and for some of its rows, and anew for other numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.common.numbers import by_numbers


@dataclass(frozen=True, eq=False)
class Params:
    window: tuple[int, int]
    weights: npt.NDArray[np.int8]
    zero_point: int


def test_the_window_makes_no_difference_and_all_else_does() -> None:
    seen: list[Params] = []

    @by_numbers
    def total(params: Params) -> int:
        seen.append(params)
        return int(params.weights.sum()) + params.zero_point

    whole = Params((8, 8), np.arange(4, dtype=np.int8), 1)
    assert [total(whole), total(replace(whole, window=(1, 8))), total(whole)] == [7, 7, 7]
    assert seen == [whole]
    assert total(replace(whole, zero_point=2)) == 8
    assert total(replace(whole, weights=whole.weights + np.int8(1))) == 11
    assert len(seen) == 3


def test_arrays_that_are_gone_are_not_taken_for_new_ones() -> None:
    """The key keeps its arrays, so that no other one comes to lie at their address."""

    @by_numbers
    def total(params: Params) -> int:
        return int(params.weights.sum())

    assert [total(Params((1, 1), np.full(64, n, np.int8), 0)) for n in range(100)] == [64 * n for n in range(100)]
