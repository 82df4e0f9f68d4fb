"""Portable kernels compiled for Cortex-M by both compilers, and for RV32, and run on emulated cores: bit-exact."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from kits.core_kernels import CoreRunner
from kits.kernel_cases import check_exact, make_case
from kits.kernel_layers import Maker
from kits.operators import KERNEL_CASES, LAYERS
from ops.conv_2d import blocks_layer
from ops.depthwise_conv_2d import depthwise_3x3_layer
from ops.fully_connected import connected_blocks_layer
from ops.requantize import float_border_layer, requantize_layer
from tinyedge import process
from tinyedge.boards import CORES
from tinyedge.build.image import select_compiler
from tinyedge.graph.ir import DType
from tinyedge.kernels.portable import KERNELS
from tinyedge.kernels.sources import runtime_files
from tinyedge.paths import templates_dir


@pytest.mark.parametrize(
    ("core", "compiler"),
    [
        ("cortex-m0plus", "zig"),
        pytest.param("cortex-m3", "gcc", marks=pytest.mark.slow),
        ("cortex-m4f", "zig"),
        pytest.param("cortex-m4f", "gcc", marks=pytest.mark.slow),
        pytest.param("cortex-m33f", "zig", marks=pytest.mark.slow),
        pytest.param("rv32imc", "zig", marks=pytest.mark.slow),
    ],
)
def test_kernels_are_exact_on(core: str, compiler: str, tmp_path: Path) -> None:
    if compiler == "gcc" and not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    rng = np.random.default_rng(11)
    layers = [maker(rng) for maker in LAYERS.values() for _ in range(12)]
    layers += [requantize_layer(rng, DType.INT8, DType.INT16), requantize_layer(rng, DType.INT32, DType.INT8)]
    layers += [float_border_layer(rng, DType.FLOAT32, DType.INT8), float_border_layer(rng, DType.INT8, DType.FLOAT32)]
    own = ("whole_numbers", "conv_2d_int4", "conv_2d_clusters", "conv_2d_bitmap", "fully_connected_int4")
    makers = (blocks_layer, connected_blocks_layer, depthwise_3x3_layer, *(_layers_for(name) for name in own))
    layers += [maker(rng) for maker in makers if maker for _ in range(12)]
    cases = [
        make_case(layer, kernel, CORES[core])
        for layer in layers
        for kernel in KERNELS
        if layer.name in kernel.operators and not kernel.fits(layer, CORES[core])
    ]
    left_out = {"portable/depthwise_conv_2d_3x3"} if CORES[core].has_dsp else set()
    assert {case.kernel.name for case in cases} == {kernel.name for kernel in KERNELS} - left_out
    check_exact(cases, CoreRunner(tmp_path, CORES[core], compiler), rng, samples=1)


def _layers_for(name: str) -> Maker | None:
    return KERNEL_CASES[f"portable/{name}"].layers


@pytest.mark.slow
@pytest.mark.parametrize("core", ["cortex-m55", "rv32imc"])
def test_runtime_compiles_without_warnings_for(core: str, tmp_path: Path) -> None:
    stems = [path.stem for path in (templates_dir() / "runtime" / "portable").glob("*.c")]
    files = runtime_files(stems, CORES[core].isa)
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    compiler = select_compiler("zig", CORES[core])
    includes = [".", str(templates_dir() / "project")]
    for name in files:
        if name.endswith(".c"):
            process.run(compiler.compile_command(name, f"{name}.o", includes), cwd=tmp_path, timeout_s=120)
    assert len(list(tmp_path.glob("*.o"))) == len(stems)
