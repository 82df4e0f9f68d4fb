"""Every form in which weights are stored, on a core of each kind and natively under sanitizers: 200 inputs each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.core_kernels import CoreRunner
from kits.host_kernels import HostRunner
from kits.kernel_cases import NATIVE, Case, check_exact, make_case
from kits.kernel_layers import Rng
from kits.stored_weights import Draw, bits, pruned, shared, with_weights
from ops.conv_2d import blocks_layer, relu_layer
from ops.fully_connected import connected_blocks_layer
from tinyedge.boards import CORES, Core
from tinyedge.kernels import KERNELS

SAMPLES = 200
FORMS: dict[str, Draw] = {
    "int4": bits(4),
    "int2": bits(2),
    "16 values": shared(16),
    "8 values": shared(8),
    "4 values": shared(4),
    "nonzeros": pruned(0.8),
    "bitmap": pruned(0.8),
}
WANTED = {
    "cortex-m4f": set(FORMS),
    "cortex-m0plus": set(FORMS) - {"int2", "nonzeros"},
    "rv32imc": set(FORMS) - {"int2", "nonzeros"},
    "native": set(FORMS) - {"int2", "nonzeros"},
}


def _cases(rng: Rng, core: Core) -> Iterator[Case]:
    """By kernel that stores weights in some form, a layer of 1x1, one of 3x3, one fully connected where it fits."""
    geometry: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1), "padding": "same"}
    for form, draw in FORMS.items():
        for layer in (
            relu_layer(rng, size=(4, 4), kernel=(1, 1), input_channels=8, output_channels=4, **geometry),
            blocks_layer(rng, size=(4, 4), kernel=(3, 3), input_channels=4, output_channels=4, **geometry),
            connected_blocks_layer(rng, batches=1, inputs=12, outputs=5, corners=False),
        ):
            stored = with_weights(rng, layer, draw, healthy=True)
            for kernel in KERNELS:
                if layer.name not in kernel.operators or kernel.fits(stored, core):
                    continue
                storage = kernel.cost(stored, core).storage
                if storage is not None and storage.form == form:
                    yield make_case(stored, kernel, core)


@pytest.mark.slow
@pytest.mark.parametrize("core", WANTED)
def test_is_exact_on(core: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(13)
    on = NATIVE if core == "native" else CORES[core]
    cases = list(_cases(rng, on))
    storages = [case.kernel.cost(case.layer, on).storage for case in cases]
    assert {storage.form for storage in storages if storage is not None} == WANTED[core]
    runner = HostRunner(tmp_path) if core == "native" else CoreRunner(tmp_path, on)
    check_exact(cases, runner, rng, samples=SAMPLES)
