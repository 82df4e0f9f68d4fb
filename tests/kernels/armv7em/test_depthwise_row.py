"""Depthwise 3x3 of three rows: exact where it fits, in place, as fast as stated, and refused otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kits.conv_layers import depthwise_layer
from kits.core_kernels import CoreRunner
from kits.kernel_cases import count_mismatches, make_case
from kits.kernel_checks import M4, ON_M4, rng_for
from kits.kernel_layers import Rng
from tinyedge.kernels.armv7em.depthwise_constants import can_fold
from tinyedge.kernels.armv7em.depthwise_row import KERNELS
from tinyedge.ops.contract import Layer

(KERNEL,) = KERNELS


def three_rows(rng: Rng, columns: int, channels: int, stride: int, pad: int = 1, **wanted: Any) -> Layer:
    """A layer that computes one row of outputs; `pad` columns of border on both sides, 0 above and below."""
    given: dict[str, Any] = {"size": (3, columns), "stride": (stride, stride), "padding": (0, pad)}
    return depthwise_layer(rng, input_channels=channels, **{**given, **wanted})


def some_layers(rng: Rng) -> list[Layer]:
    """Widths around those of loops, both strides, with borders and without."""
    layers = [
        three_rows(rng, columns, (4, 8, 12)[columns % 3], stride, pad, folded=bool(at % 2))
        for at, columns in enumerate((1, 2, 3, 5, 8, 9, 10, 12, 24))
        for stride in (1, 2)
        for pad in (0, 1)
        if columns + 2 * pad >= 3
    ]
    layers += [three_rows(rng, 7, 8, 1, limits=limits) for limits in ((-20, 60), (-128, 5), (0, 127))]
    return layers


def test_is_exact(tmp_path: Path) -> None:
    rng = rng_for(KERNEL.name)
    layers = ON_M4.fitting(KERNEL, some_layers(rng), 25)
    assert {can_fold(layer.params) for layer in layers} == {True, False}
    ON_M4.check_kernel(KERNEL, layers, tmp_path, rng)


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    sizes = ((5, 64, 1), (48, 8, 1), (24, 16, 2), (13, 12, 1), (6, 128, 1))
    layers = [
        three_rows(rng, columns, channels, stride, folded=bool(at % 2), corners=False)
        for at, (columns, channels, stride) in enumerate(sizes)
    ]
    ON_M4.check_costs(KERNEL, ON_M4.fitting(KERNEL, layers, len(sizes)), tmp_path, rng)
    ON_M4.check_code_bytes(KERNEL, layers[:1], tmp_path)


FIGURES = [(5, 64, 1, 2.05), (24, 32, 1, 1.82), (48, 8, 1, 1.77), (24, 32, 2, 2.47)]


@pytest.mark.parametrize(("columns", "channels", "stride", "instructions"), FIGURES)
def test_figures_per_mac(columns: int, channels: int, stride: int, instructions: float, tmp_path: Path) -> None:
    rng = rng_for("figures")
    layer = three_rows(rng, columns, channels, stride, folded=True)
    counted, _, _ = ON_M4.counts(KERNEL, [layer], tmp_path, rng)[0]
    assert counted / layer.macs < instructions


def test_an_output_below_the_input_would_be_wrong(tmp_path: Path) -> None:
    """So the in-place offset is exact."""
    rng = rng_for("exact")
    layer = three_rows(rng, 6, 8, 1, folded=True, corners=False)
    cases = [make_case(layer, KERNEL, M4, overlap=below) for below in (0, 4)]
    mismatches = count_mismatches(cases, CoreRunner(tmp_path, M4), rng, samples=6)
    assert mismatches[0] == 0
    assert mismatches[1] > 0


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kernel": (3, 5)}, "the filter is 3x5"),
    ({"size": (4, 8)}, "2 rows of outputs"),
    ({"size": (2, 8), "padding": (1, 1), "stride": (3, 1)}, "rows of outputs are asked for"),
    ({"input_channels": 6}, "6 channels are no multiple of 4"),
    ({"stride": (1, 3), "size": (3, 9)}, "the stride along a row is 3"),
    ({"padding": (0, 2)}, "more than one column of border"),
    ({"input_channels": 600}, "too far from each other"),
    ({"size": (3, 130)}, "a row of 130 columns is too long"),
]


@pytest.mark.parametrize(("wanted", "reason"), REFUSED)
def test_refuses(wanted: dict[str, Any], reason: str) -> None:
    given: dict[str, Any] = {"size": (3, 8), "stride": (1, 1), "padding": (0, 1), "input_channels": 8, **wanted}
    layer = depthwise_layer(rng_for("refused"), **given)
    assert reason in KERNEL.fits(layer, M4)
