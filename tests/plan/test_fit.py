"""Models too big for a board are refused with the bytes that are missing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kits.fake_kernels import CORE, FakeKernel
from kits.net import Net, weights
from tinyedge.boards import Board, Memory
from tinyedge.errors import CheckError
from tinyedge.kernels.contract import Cost
from tinyedge.plan import check_fits, make_plan

BOARD = Board(
    name="small",
    title="Small",
    aliases=(),
    chip="chip",
    family="family",
    core=CORE,
    clock_hz=64_000_000,
    memories=(Memory("flash", 0, 4096), Memory("ram", 0x20000000, 1024)),
    flash_start=0,
    console={},
    flashers=(),
    flash_options={},
    emulators=(),
    usb_ids=(),
    sources={},
)
NET = Net()
GRAPH = NET.graph(NET.conv(NET.conv(NET.input((1, 16, 16, 2)), weights(1, 4, 3, 3, 2)), weights(2, 2, 3, 3, 4)))


def test_a_plan_that_fits_passes() -> None:
    plan = make_plan(GRAPH, CORE, "balanced", kernels=[FakeKernel()])
    check_fits(plan, replace(BOARD, memories=(Memory("flash", 0, 4096), Memory("ram", 0, plan.arena_bytes))))


def test_too_big_for_ram_names_the_largest_tensor() -> None:
    plan = make_plan(GRAPH, CORE, "balanced", kernels=[FakeKernel()])
    with pytest.raises(CheckError) as caught:
        check_fits(plan, BOARD)
    assert caught.value.what == (
        "model `test` needs 1,536 B of RAM; board `small` has 1,024 B (512 B too few)\n"
        "       largest: `t1` int8 [1,16,16,4] = 1,024 B, alive at operators 0-1"
    )
    assert caught.value.hint


def test_too_big_for_flash_behind_a_bootloader() -> None:
    heavy = FakeKernel(cost=lambda layer: Cost(10, 10, 1800 + layer.index))
    plan = make_plan(GRAPH, CORE, "balanced", kernels=[heavy])
    big = replace(BOARD, memories=(Memory("flash", 0, 4096), Memory("ram", 0, 4096)))
    check_fits(plan, big)
    with pytest.raises(CheckError) as caught:
        check_fits(plan, replace(big, flash_start=1024))
    assert caught.value.what == (
        "model `test` needs 3,601 B of flash for constants; board `small` has 3,072 B (529 B too few)\n"
        "       largest: operator 1 (`conv_2d`) = 1,801 B"
    )


def test_constants_that_fill_the_flash_fit() -> None:
    plan = make_plan(GRAPH, CORE, "balanced", kernels=[FakeKernel(cost=lambda layer: Cost(10, 10, 2048))])
    full = replace(BOARD, memories=(Memory("flash", 0, 4096), Memory("ram", 0, 4096)))
    check_fits(plan, full)
    with pytest.raises(CheckError, match=r"has 4,092 B \(4 B too few\)"):
        check_fits(plan, replace(full, flash_start=4))


def test_the_largest_may_be_scratch() -> None:
    plan = make_plan(GRAPH, CORE, "balanced", kernels=[FakeKernel(scratch=lambda layer: 5000 if layer.index else 0)])
    with pytest.raises(CheckError, match=r"largest: `[^`]*scratch[^`]*` = 5,000 B, alive at operator 1$"):
        check_fits(plan, BOARD)


def test_the_host_has_no_limits() -> None:
    heavy = FakeKernel(cost=lambda layer: Cost(10, 10, 10**9), scratch=lambda layer: 10**9)
    check_fits(make_plan(GRAPH, CORE, "balanced", kernels=[heavy]), replace(BOARD, memories=()))
