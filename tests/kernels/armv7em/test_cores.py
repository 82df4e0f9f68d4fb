"""The kernels for cores with DSP on the other cores that have it, and built by both compilers."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kits.conv_layers import depthwise_layer
from kits.core_kernels import CoreRunner
from kits.kernel_cases import check_exact, make_case
from kits.operators import LAYERS
from ops.conv_2d import conv_2d_layer
from ops.fully_connected import fully_connected_layer
from ops.pool_2d import pool_2d_layer
from tinyedge.boards import CORES, Core, Isa
from tinyedge.kernels.armv7em import KERNELS


@pytest.mark.parametrize(("core", "compiler"), [("cortex-m7f", "zig"), ("cortex-m33f", "zig"), ("cortex-m33f", "gcc")])
def test_kernels_are_exact_on(core: str, compiler: str, tmp_path: Path) -> None:
    if compiler == "gcc" and not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    rng = np.random.default_rng(17)
    operators = {operator for kernel in KERNELS for operator in kernel.operators} & set(LAYERS)
    layers = [LAYERS[operator](rng) for operator in sorted(operators) for _ in range(6)]
    layers += [depthwise_layer(rng, folded=True, size=size) for size in ((9, 9), (25, 5)) for _ in range(3)]
    layers += [conv_2d_layer(rng, size=(8, 8), kernel=k, groups=1, corners=False) for k in ((1, 1), (3, 3))]
    layers += [fully_connected_layer(rng, batches=1, weight_zero_point=0, corners=False)]
    layers += [pool_2d_layer(rng, name, channels=20) for name in ("average_pool_2d", "max_pool_2d")]
    cases = [
        make_case(layer, kernel, CORES[core])
        for layer in layers
        for kernel in KERNELS
        if layer.name in kernel.operators and not kernel.fits(layer, CORES[core])
    ]
    assert len({case.kernel.name for case in cases}) > len(KERNELS) // 2
    check_exact(cases, CoreRunner(tmp_path, CORES[core], compiler), rng, samples=1)


@pytest.mark.parametrize("core", [Core("cortex-m3", Isa.ARMV7M), CORES["cortex-m0plus"], CORES["native"]])
def test_other_cores_are_refused(core: Core) -> None:
    rng = np.random.default_rng(18)
    for kernel in KERNELS:
        for operator in kernel.operators:
            if operator in LAYERS:
                assert kernel.fits(LAYERS[operator](rng), core)
