"""The registry: every operator has a kernel for every core, and kernels keep the rules of their contract."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kits.operators import LAYERS
from tinyedge import kernels
from tinyedge.boards import CORES
from tinyedge.discovery import collect
from tinyedge.kernels import CONTROL_FLOW, armv7em, portable
from tinyedge.kernels.contract import Kernel, Operands
from tinyedge.kernels.sources import runtime_files
from tinyedge.ops import OPERATORS
from tinyedge.ops.contract import Layer


def test_names_are_unique_and_start_with_a_folder() -> None:
    names = [kernel.name for kernel in kernels.KERNELS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+/[a-z0-9_]+", name) for name in names)


@pytest.mark.parametrize("operator", sorted(set(OPERATORS) - set(CONTROL_FLOW)))
def test_every_operator_has_a_portable_kernel(operator: str) -> None:
    assert any(operator in kernel.operators for kernel in portable.KERNELS)


def _samples() -> list[tuple[Kernel, Layer]]:
    rng = np.random.default_rng(5)
    pairs = []
    for kernel in portable.KERNELS:
        layers = [LAYERS[name](rng) for name in kernel.operators if name in LAYERS for _ in range(20)]
        pairs += [(kernel, layer) for layer in layers if not kernel.fits(layer, CORES["cortex-m4f"])][:2]
    return pairs


@pytest.mark.parametrize(("kernel", "layer"), _samples(), ids=lambda value: getattr(value, "name", ""))
def test_emitted_code_keeps_the_contract(kernel: Kernel, layer: Layer) -> None:
    core = CORES["cortex-m4f"]
    inputs = tuple(f"in{i}" for i in range(len(layer.inputs)))
    outputs = tuple(f"out{i}" for i in range(len(layer.outputs)))
    operands = Operands(inputs, outputs, scratch="scratch", prefix="net_l07")
    code = kernel.emit(layer, core, operands)
    assert repr(code) == repr(kernel.emit(layer, core, operands))
    assert all(statement.endswith(";") and "\n" not in statement for statement in code.call)
    assert all(constant.name.startswith("net_l07") and constant.values.ndim == 1 for constant in code.constants)
    defined = re.findall(r"^static const \w+ (\w+) =", code.functions, re.MULTILINE)
    assert all(name.startswith("net_l07") for name in defined)
    runtime = runtime_files(code.runtime, core.isa)
    assert all(f"{stem}.h" in runtime for stem in code.runtime)
    cost = kernel.cost(layer, core)
    assert cost.cycles > 0
    assert {stem for stem, _ in cost.shared_code} <= set(code.runtime)
    stated = sum(constant.values.nbytes for constant in code.constants)
    assert stated <= cost.constant_bytes <= stated + 200


def test_candidates_serve_the_operator() -> None:
    layer = LAYERS["softmax"](np.random.default_rng(0))
    assert {kernel.name for kernel in kernels.candidates(layer)} >= {"portable/softmax"}
    assert all("softmax" in kernel.operators for kernel in kernels.candidates(layer))


def test_a_module_that_lists_kernels_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "some_core"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "helper.py").write_text("NOT_KERNELS = ()\n")
    (package / "second.py").write_text("KERNELS = ('c',)\n")
    (package / "first.py").write_text("KERNELS = ('b', 'a')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert collect("some_core", "KERNELS") == [("b", "a"), ("c",)]


def test_each_folder_adds_its_kernels() -> None:
    folders = {kernel.name.partition("/")[0] for kernel in kernels.KERNELS}
    assert folders == {"armv6m", "armv7em", "armv81m", "portable"}
    assert all(
        kernel.name.startswith("armv7em/") and type(kernel).__module__.startswith("tinyedge.kernels.armv7em.")
        for kernel in armv7em.KERNELS
    )


def test_planning_needs_no_disassembler() -> None:
    program = "import sys, tinyedge.plan.make, tinyedge.kernels; print('capstone' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
