"""mul, add and sub of operands that broadcast: exact, in place, as cheap as they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.kernel_checks import M4, ON_M4, rng_for
from kits.pair_layers import pair_layer, pair_layers
from tinyedge.kernels.armv7em.affine_rows import MulConstants, SumConstants
from tinyedge.kernels.armv7em.mul import MulRows
from tinyedge.kernels.armv7em.sum_rows import SumRows, SumTables
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

MUL, SUMS, TABLES, SUM_CONSTANTS, MUL_CONSTANTS = MulRows(), SumRows(), SumTables(), SumConstants(), MulConstants()
ALL = (MUL, SUMS, TABLES, SUM_CONSTANTS, MUL_CONSTANTS)
FULL, ROW, PIXEL = (1, 16, 16, 32), (32,), (1, 16, 16, 1)


def test_all_are_exact(tmp_path: Path) -> None:
    layers = pair_layers(rng_for("pairs"))
    for kernel in ALL:
        assert len([layer for layer in layers if layer.name in kernel.operators and not kernel.fits(layer, M4)]) >= 1
    rng = rng_for("all")
    for number, names in enumerate((("mul",), ("add", "sub"))):
        kernels = [kernel for kernel in ALL if kernel.operators[0] in names]
        alike = [layer for layer in layers if layer.name in names]
        ON_M4.check_kernels(kernels, alike, tmp_path / str(number), rng, "zig")


def fitting(kernel: Kernel, name: str, second: tuple[int, ...], constant: bool, rng: np.random.Generator) -> Layer:
    drawn = [pair_layer(rng, name, (FULL, second), constant=constant, activation="none") for _ in range(40)]
    return ON_M4.fitting(kernel, drawn, 1)[0]


@pytest.mark.parametrize(
    ("kernel", "name", "second", "constant", "most"),
    [
        (MUL, "mul", FULL, False, 8.0),
        (MUL, "mul", ROW, False, 8.5),
        (MUL, "mul", PIXEL, False, 8.1),
        (SUMS, "sub", FULL, False, 6.0),
        (SUMS, "add", ROW, False, 6.8),
        (TABLES, "add", ROW, False, 12.2),
        (SUM_CONSTANTS, "add", ROW, True, 5.5),
        (MUL_CONSTANTS, "mul", ROW, True, 5.5),
    ],
)
def test_instructions_per_element(
    kernel: Kernel, name: str, second: tuple[int, ...], constant: bool, most: float, tmp_path: Path
) -> None:
    rng = rng_for("speed")
    layer = fitting(kernel, name, second, constant, rng)
    (counted,) = ON_M4.check_costs(kernel, [layer], tmp_path, rng, percent=3)
    assert counted.instructions / 8192 < most
    assert abs(kernel.cost(layer, M4).instructions - counted.instructions) < 20
    ON_M4.check_code_bytes(kernel, [layer], tmp_path)


def test_refuses() -> None:
    rng = rng_for("refused")
    assert "no operand is a constant" in SUM_CONSTANTS.fits(pair_layer(rng, "add", (FULL, ROW), constant=False), M4)
    single = pair_layer(rng, "mul", (FULL, PIXEL), constant=True)
    assert "the same for all rows" in MUL_CONSTANTS.fits(single, M4)
