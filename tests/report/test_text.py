"""Reports for a terminal, compared whole. `pytest tests/report --update-golden` writes the expectations anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kits.artifacts_by_hand import board, measured, model, plan_of_fake, size_table
from tinyedge.artifacts import ArenaProof, Figure, Mismatch, Plan
from tinyedge.boards import load_board
from tinyedge.report.picture import draw_arena
from tinyedge.report.table import render_table
from tinyedge.report.text import (
    render_board,
    render_boards,
    render_build,
    render_plan,
    render_run,
    render_size,
    render_training,
)

EXPECTED = Path(__file__).parent / "expected"

Compare = Callable[[str, str], None]


@pytest.fixture
def compare(update_golden: bool) -> Compare:
    """compare(name, text): against expected/<name>.txt."""

    def check(name: str, text: str) -> None:
        path = EXPECTED / f"{name}.txt"
        if update_golden:
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check


def test_run(compare: Compare) -> None:
    compare("run", render_run(measured()))


def test_run_with_mismatches_and_notes(compare: Compare) -> None:
    bad = measured(mismatches=3, first_mismatch=Mismatch(4, 1, "relu", 17), device_accuracy=0.97, notes=("a note",))
    compare("run_mismatch", render_run(bad))


def test_run_where_nothing_counts(compare: Compare) -> None:
    silent = measured(
        instructions=None,
        instructions_spread=None,
        cycles=None,
        cycles_spread=None,
        latency_us=Figure("measured", 812.34),
        layers=tuple(replace(layer, instructions=None, cycles=None) for layer in measured().run.layers),
        device_accuracy=None,
        stack_peak_bytes=0,
    )
    no_limits = replace(size_table(), flash_limit_bytes=0, ram_limit_bytes=0)
    built = replace(silent.built, image=replace(silent.built.image, size=no_limits))
    built = replace(
        built, prepared=replace(built.prepared, model=replace(model(), float_accuracy=None, int8_accuracy=None))
    )
    built = replace(built, prepared=replace(built.prepared, board=load_board("host")))
    compare("run_host", render_run(replace(silent, built=built)))


def test_run_broken_off(compare: Compare) -> None:
    partial = measured(
        samples=37, layers=(), stack_peak_bytes=0, notes=("partial: the device failed after 37 of 360 samples",)
    )
    compare("run_partial", render_run(partial))


def test_size(compare: Compare) -> None:
    compare("size", render_size(size_table()))


def test_build(compare: Compare) -> None:
    built = measured().built
    compare("build", render_build(built.project, built.image, built.folder))


@pytest.mark.parametrize(
    ("fails_bytes", "words"), [(4080, "searched on the target; 4,080 B fails"), (None, "host interpreter and a margin")]
)
def test_build_tells_how_an_interpreters_arena_is_known(fails_bytes: int | None, words: str) -> None:
    built = measured().built
    text = render_build(built.project, built.image, built.folder, ArenaProof(4096, "", fails_bytes))
    assert f" B  {words}\n" in text


def test_training(compare: Compare) -> None:
    compare("training", render_training(model()))


def test_plan(compare: Compare) -> None:
    compare("plan", render_plan(plan_of_fake()))


def test_boards(compare: Compare) -> None:
    compare("boards", render_boards([board(), load_board("host")]))
    compare("board", render_board(board()))


@pytest.mark.parametrize("name", ["run", "run_mismatch", "run_host", "run_partial"])
def test_no_figure_stands_without_its_kind(name: str) -> None:
    for line in (EXPECTED / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        first = line.split(" ")[0]
        if first in ("latency", "instructions", "cycles") and "unknown" not in line:
            assert any(f"({kind}" in line for kind in ("counted", "modelled", "measured")), line


def many_layers(count: int) -> Plan:
    plan = plan_of_fake()
    layers = tuple(plan.layers[i % 2] for i in range(count))
    buffers = tuple(
        replace(plan.buffers[1], offset=16 * (i % 9), bytes=48, first=i, last=i + 1) for i in range(count - 1)
    )
    return replace(plan, layers=layers, buffers=buffers, arena_bytes=16 * 8 + 48)


@pytest.mark.parametrize(("steps", "width"), [(2, 4), (40, 80), (41, 41), (90, 90)])
def test_the_picture_has_a_column_for_each_step(steps: int, width: int) -> None:
    lines = draw_arena(many_layers(steps)).splitlines()
    assert len(lines) == 18
    assert {len(line.partition("|")[2].rstrip("|")) for line in lines[:16]} == {width}
    assert lines[0].startswith("176 |")


def test_the_picture_of_nothing() -> None:
    empty = replace(plan_of_fake(), layers=(), buffers=(), arena_bytes=0, lower_bound_bytes=0)
    assert draw_arena(empty).splitlines()[0] == "0 |..|"
    assert "0 layers" in render_plan(empty)


def test_a_table_without_rows_keeps_its_headers() -> None:
    assert render_table(("a", "b"), []) == "a  b"


def test_a_column_is_aligned_right_only_if_all_of_it_is_numbers() -> None:
    text = render_table(("n", "m"), [(1, "1,000 B"), (20, "x")])
    assert text.splitlines() == [" n  m", " 1  1,000 B", "20  x"]
