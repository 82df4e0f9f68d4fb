"""Look-ups and clamps: exact for any table and count, in place, at the stated cost."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from kits.kernel_checks import M4, ON_M4, rng_for
from kits.kernel_layers import Rng
from ops.lookup import lookup_layer
from tinyedge.kernels.armv7em.lookup import LookupClamp, LookupEight
from tinyedge.ops.contract import Layer

TABLE, CLAMP = LookupEight(), LookupClamp()
SIZES = (1, 2, 7, 8, 9, 15, 16, 17, 33, 100)


def clamp_layer(rng: Rng, elements: int, low: int, high: int) -> Layer:
    layer = lookup_layer(rng, elements=elements)
    table = np.clip(np.arange(-128, 128), low, high).astype(np.int8)
    return dataclasses.replace(layer, params=dataclasses.replace(layer.params, table=table))


def test_tables_are_exact(tmp_path: Path) -> None:
    rng = rng_for("tables")
    ON_M4.check_kernel(TABLE, [lookup_layer(rng, elements=size) for size in SIZES], tmp_path, rng)


def test_clamps_are_exact(tmp_path: Path) -> None:
    rng = rng_for("clamps")
    limits = ((-128, 127), (0, 127), (-5, 127), (-128, 3), (-100, 100), (20, 20))
    layers = [clamp_layer(rng, size, *limits[at % len(limits)]) for at, size in enumerate((*SIZES, *SIZES[3:]))]
    ON_M4.check_kernel(CLAMP, ON_M4.fitting(CLAMP, layers, len(layers)), tmp_path, rng)


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    ON_M4.check_costs(TABLE, [lookup_layer(rng, elements=size) for size in (1000, 999, 100)], tmp_path, rng)
    layers = [clamp_layer(rng, size, -3, high) for size, high in ((1000, 127), (999, 100), (100, 5))]
    ON_M4.check_costs(CLAMP, layers, tmp_path, rng)
    ON_M4.check_code_bytes(TABLE, [lookup_layer(rng)], tmp_path)
    ON_M4.check_code_bytes(CLAMP, layers[1:2], tmp_path)


def test_instructions_per_element(tmp_path: Path) -> None:
    rng = rng_for("speed")
    assert ON_M4.counts(TABLE, [lookup_layer(rng, elements=8000)], tmp_path, rng)[0].instructions / 8000 < 3.3
    assert ON_M4.counts(CLAMP, [clamp_layer(rng, 8000, 0, 127)], tmp_path, rng)[0].instructions / 8000 < 0.85


def test_what_is_no_clamp_is_refused() -> None:
    assert "more than a clamp" in CLAMP.fits(lookup_layer(rng_for("refused")), M4)
