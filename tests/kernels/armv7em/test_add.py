"""Sums by the short form and by tables: exact for all pairs of inputs, in place, refused where they cannot be."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kits.add_layers import add_corners, usual_sum
from kits.kernel_checks import M4, ON_M4, loop_lines, model_layers, rng_for
from ops.add import add_layer
from tinyedge.kernels.armv7em.add import AddShort, AddTables
from tinyedge.kernels.common.add_factors import Factors, all_outputs, find_halves
from tinyedge.ops.add import Add

SHORT, TABLES = AddShort(), AddTables()


@pytest.mark.parametrize("kernel", [SHORT, TABLES], ids=lambda kernel: kernel.name)
def test_is_exact(kernel: AddShort | AddTables, tmp_path: Path) -> None:
    rng = rng_for("add")
    ON_M4.check_kernel(kernel, ON_M4.fitting(kernel, add_corners(rng), 12), tmp_path, rng)


def test_layers_of_resnet_have_the_short_form(shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, "pretrainedResnet_quant", "add")
    ON_M4.check_kernel(SHORT, ON_M4.fitting(SHORT, layers, 3), tmp_path, rng_for("resnet"))
    names = {SHORT.cost(layer, M4).shared_code for layer in layers}
    assert len(names) == 1


def short_form(p: Add, factors: Factors) -> np.ndarray:
    """What the instructions compute, for all pairs of inputs."""
    shifted = np.arange(-128, 128, dtype=np.int64) << 8
    sums = ((factors.a * shifted) >> 16)[:, None] + ((factors.b * shifted) >> 16)[None, :] + factors.k
    assert np.abs(sums).max() < 1 << 31
    return np.clip(sums >> factors.fraction, p.activation_min, p.activation_max)


def test_constants_found_are_right_for_all_inputs() -> None:
    rng = rng_for("proof")
    found = 0
    for _ in range(30):
        p = usual_sum(rng).params
        factors = find_halves(p)
        if factors is not None:
            found += 1
            assert np.array_equal(short_form(p, factors), all_outputs(p))
    assert found >= 24


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    for kernel in (SHORT, TABLES):
        layers = ON_M4.fitting(kernel, [usual_sum(rng, elements) for elements in (1000, 4000, 4003, 77)], 3)
        ON_M4.check_costs(kernel, layers, tmp_path, rng)
        ON_M4.check_code_bytes(kernel, layers[:1], tmp_path)


@pytest.mark.parametrize(("kernel", "most"), [(SHORT, 6.0), (TABLES, 12.2)], ids=["short", "tables"])
def test_instructions_per_element(kernel: AddShort | AddTables, most: float, tmp_path: Path) -> None:
    rng = rng_for("speed")
    layer = ON_M4.fitting(kernel, [usual_sum(rng, 16384) for _ in range(5)], 1)[0]
    instructions, _, _ = ON_M4.counts(kernel, [layer], tmp_path, rng)[0]
    assert instructions / 16384 < most


def test_the_loop_spills_nothing() -> None:
    layer = ON_M4.fitting(SHORT, [usual_sum(rng_for("loop")) for _ in range(5)], 1)[0]
    lines = loop_lines(SHORT, layer, "eight elements")
    assert sum(line.startswith("smlaw") for line in lines) == 16
    assert [line for line in lines if "sp" in line] == ["ldr r12, [sp]"]  # the end of the loop


def test_refuses() -> None:
    rng = rng_for("refused")
    layer = add_layer(rng, shapes=((2, 3), (3,)), constant=False)
    assert "is broadcast" in SHORT.fits(layer, M4)
    assert "is broadcast" in TABLES.fits(layer, M4)
    usual = usual_sum(rng)
    coarse = dataclasses.replace(usual, params=dataclasses.replace(usual.params, output_shift=0))
    assert "no constants of the short form" in SHORT.fits(coarse, M4)
    assert "shifted left by 0" in TABLES.fits(coarse, M4)
