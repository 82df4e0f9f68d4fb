"""What is predicted of a firmware is what is built and counted."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest

from kits.models import small_convolution
from tinyedge.artifacts import Silence
from tinyedge.boards import CORES, list_boards, load_board
from tinyedge.convert import DEFAULTS
from tinyedge.cost.fit import fit_plan
from tinyedge.cost.predict import predict
from tinyedge.cost.rates import base_of, core_rates
from tinyedge.emulate import choose
from tinyedge.emulate.contract import start_target
from tinyedge.errors import UsageError
from tinyedge.graph.reader import read_model
from tinyedge.jobs.fit import _PLANNED_ALIKE
from tinyedge.jobs.measure import measure
from tinyedge.jobs.train import load_model
from tinyedge.kernels import KERNELS
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import PlansOf, make_plan
from tinyedge.runtimes import make_runtime


def test_every_board_has_a_measured_firmware() -> None:
    for board in list_boards():
        if board.memories:
            assert base_of(board.name, "zig") is not None, f"{board.name}: `python -m benchmarks.rates_counts`"


def test_every_core_has_rates_within_the_promise() -> None:
    for core in CORES.values():
        if core.name == "native":
            continue
        rates = core_rates(core.name, "zig")
        assert rates.instructions.error_percent <= 3
        assert rates.flash.error_percent <= 2


def test_a_compiler_that_does_not_build_for_a_core_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing is known of code for the core `rv32imc` by `gcc`"):
        core_rates("rv32imc", "gcc")


def test_plans_of_all_aims_are_those_made_one_by_one() -> None:
    graph = optimize_graph(settle_graph(read_model(small_convolution(), "small")))
    for core in (CORES["cortex-m0plus"], CORES["cortex-m4f"]):
        plans = PlansOf(graph, core)
        for aim in ("speed", "size", "balanced"):
            alone = make_plan(graph, core, aim)
            shared = plans.plan(aim)
            assert [u.kernel.name for u in shared.units] == [u.kernel.name for u in alone.units]
            assert (shared.arena_bytes, shared.buffers) == (alone.arena_bytes, alone.buffers)


def test_cores_that_are_planned_alike_have_the_same_plans() -> None:
    graph = optimize_graph(settle_graph(read_model(small_convolution(), "small")))
    for core, other in _PLANNED_ALIKE.items():
        plans = [make_plan(graph, CORES[name], "balanced") for name in (core, other)]
        assert plans[0].buffers == plans[1].buffers
        assert [u.kernel.name for u in plans[0].units] == [u.kernel.name for u in plans[1].units]


def test_what_needs_no_calibration_gives_no_time() -> None:
    graph = optimize_graph(settle_graph(read_model(small_convolution(), "small")))
    for name, has_time in (("rpi_pico", False), ("nucleo_l4r5zi", True), ("nrf52840dk", True)):
        board = load_board(name)
        aim = fit_plan(make_plan(graph, board.core, "balanced"), board, "zig", 10.0)
        assert (aim.latency_us is not None) is has_time
        assert aim.fits
        if name == "nrf52840dk":
            assert aim.latency_us is not None
            assert aim.latency_us.upper is not None


TRUTH = [
    ("kws_ref_model", "mps2_an386", "zig"),
    ("okay_nabu_v2", "rpi_pico", "zig"),
    ("ad01_int8", "nucleo_u575zi_q", "gcc"),
    ("micro_speech_quantized", "esp32c3_devkitm", "zig"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "board_name", "compiler"), TRUTH)
def test_prediction_is_what_is_built_and_counted(
    model: str, board_name: str, compiler: str, shared_models: Path, tmp_path: Path
) -> None:
    if compiler == "gcc" and not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    board = load_board(board_name)
    loaded = load_model(str(shared_models / f"{model}.tflite"), tmp_path, Silence(), None, DEFAULTS).model
    runtime = make_runtime("aot")
    prepared = runtime.prepare(loaded, board, "balanced", tmp_path, Silence())
    built = runtime.build(prepared, compiler, tmp_path, Silence())
    start = functools.partial(start_target, choose(board), built.image, board)
    run = measure(built, Silence(), start, "random:1", 1).run
    assert prepared.memory is not None
    found = predict(prepared.memory, board, compiler)
    size = built.image.size
    assert found.flash_bytes is not None
    assert found.ram_bytes == size.ram_bytes
    assert abs(found.flash_bytes - size.flash_bytes) <= 0.02 * size.flash_bytes
    assert run.instructions is not None
    assert abs(found.instructions - run.instructions.value) <= 0.03 * run.instructions.value
    assert {unit.kernel for unit in found.units} & {kernel.name for kernel in KERNELS}
