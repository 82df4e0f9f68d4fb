"""Pages as people see them: in wide and narrow windows nothing is cut, too wide or too small; and where bytes go."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kits.artifacts_by_hand import measured, model, size_table
from kits.browser import look, needs_chromium
from tinyedge.artifacts import Buffer, Figure, Measured, Silence, SymbolSize
from tinyedge.artifacts.confusion import Confusion
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.inspect import inspect
from tinyedge.kernels.contract import Storage
from tinyedge.report.bench_page import bench_html
from tinyedge.report.compare import Thresholds, compare_all, subjects_of
from tinyedge.report.compare.html import compare_html
from tinyedge.report.compare.pareto import find_pareto
from tinyedge.report.html import run_html
from tinyedge.report.inspect_page import inspection_html
from tinyedge.report.page import made_on
from tinyedge.report.treemap import Box, draw_treemap, flash_parts, lay_out, ram_parts

WIDTHS = (1280, 400)


def crowded() -> Measured:
    """A run with all that a page can show, and names that are long."""
    long = "StatefulPartitionedCall/sequential/batch_normalization_12/FusedBatchNormV3;quant_depthwise_conv2d"
    names = [f"class number {number} <&>" for number in range(12)]
    run = measured(
        confusion=Confusion(tuple(tuple((7 * a + b) % 9 for b in range(12)) for a in range(12)), tuple(names)),
        layers=tuple(
            replace(layer, index=at, kernel="armv81m/depthwise_conv_2d_mve_with_a_long_name")
            for at, layer in enumerate(measured().run.layers * 20)
        ),
        notes=("a note of many words " * 12, "w" * 300),
    )
    prepared = run.built.prepared
    assert prepared.memory is not None
    plan = prepared.memory
    buffers = (*plan.buffers, *(Buffer(f"{long}{at}", None, 40 * at, 40, at % 2, 1) for at in range(20)))
    metrics = {"parameters": 9000.0, "float_accuracy": 0.99, "prune_accuracy": 0.98, "int8_accuracy": 0.9806}
    trained = replace(model(), class_names=tuple(names), metrics=metrics, trained_by={"tensorflow": "2.21.0"})
    symbols = [SymbolSize(f"te_{long}_{at}", ".text", 29_000 // 2**at) for at in range(1, 12)]
    symbols += [SymbolSize("arena", ".bss", 10_000), SymbolSize("x" * 90, ".data", 1000)]
    size = replace(size_table(), symbols=tuple(symbols), constant_bytes=9000)
    samples = replace(run.samples, class_names=tuple(names))
    first, *rest = plan.layers
    packed = replace(first, cost=replace(first.cost, storage=Storage("16 values", 4096, 8192)))
    plan = replace(plan, layers=(packed, *rest))
    built = replace(
        run.built,
        image=replace(run.built.image, size=size),
        prepared=replace(prepared, model=trained, memory=replace(plan, buffers=buffers)),
    )
    return replace(run, built=built, samples=samples)


def pages() -> dict[str, str]:
    run = crowded()
    other = replace(run, run=replace(run.run, instructions=Figure("counted", 1_000), device_accuracy=0.5))
    third = replace(run, run=replace(run.run, instructions=Figure("counted", 900_000_000)))
    groups = [
        subjects_of(each, name) for each, name in ((run, "main"), (other, "faster, and wrong"), (third, "c" * 60))
    ]
    tflm = replace(run, built=replace(run.built, project=replace(run.built.project, runtime="tflm")))
    return {
        "run": run_html(run),
        "bench": bench_html([run, tflm]),
        "compare": compare_html(compare_all(groups, Thresholds()), find_pareto([group[0] for group in groups])),
    }


def inspected(model: Path, folder: Path) -> str:
    """The page of `inspect` of a real network, with its graph and what each layer takes on a board."""
    choices = Choices(str(model), "nrf52840", "zig", None, folder)
    return inspection_html(inspect(choices, Silence(), "nrf52840"))


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_fit_every_window_and_can_be_read(tmp_path: Path, shared_models: Path, dark: bool) -> None:
    made = {**pages(), "inspect": inspected(shared_models / "kws_ref_model.tflite", tmp_path)}
    shown = {name: page.replace("<details>", "<details open>") for name, page in made.items()}
    cases = [(name, width) for name in made for width in WIDTHS]
    seen = look([(shown[name], width) for name, width in cases], tmp_path, dark=dark)
    for case, found in zip(cases, seen, strict=True):
        assert found.width <= case[1], case
        assert (found.wide, found.cut, found.small, found.outside) == ([], [], [], []), case
        assert found.labels > 8, case
        assert found.console == [], case
        assert (found.dark, found.faint) == (dark, []), case


@pytest.mark.slow
@needs_chromium
def test_the_browser_sees_what_is_wrong(tmp_path: Path) -> None:
    """What is told of pages is not told of anything."""
    bad = """<!DOCTYPE html><html><body><div style="width:900px">broad</div>
    <div style="overflow:hidden;width:20px;white-space:nowrap">much too long</div><p style="font-size:6px">tiny</p>
    <p style="color:#ccc">pale</p>
    <svg width="50" height="20" viewBox="0 0 50 20"><text x="40" y="10">leaves</text></svg></body></html>"""
    (found,) = look([(bad, 400)], tmp_path)
    assert found.width > 400
    assert ("broad" in found.wide, "much too long" in found.cut, "tiny" in found.small, "leaves" in found.outside) == (
        True,
        True,
        True,
        True,
    )
    assert found.faint == ["pale"]


def test_a_page_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    page = run_html(crowded())
    for said in (
        "1970-01-02 00:00 UTC",
        "test_board: A board for tests",
        "nRF52840, cortex-m4f",
        "64 MHz",
        "zig 0.17.0",
        "tensorflow 2.21.0",
        "e" * 64,
        'name="viewport"',
        "16 values",
        "8,192 B",
        "prefers-color-scheme: dark",
    ):
        assert said in page, said
    assert page == run_html(crowded())
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", made_on())


def test_every_byte_of_a_memory_is_in_its_map() -> None:
    size = crowded().built.image.size
    assert sum(part.bytes for part in flash_parts(size)) == 31_234
    assert sum(part.bytes for part in ram_parts(size)) == 12_345
    aliases = replace(size, symbols=(SymbolSize("a", ".bss", 11_000), SymbolSize("also a", ".bss", 11_000)))
    assert sum(part.bytes for part in ram_parts(aliases)) == 12_345
    assert draw_treemap(()) is None
    drawn = draw_treemap(flash_parts(size))
    assert drawn is not None
    assert "x" * 90 in drawn.wide
    assert "<script" not in drawn.wide + drawn.narrow


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=30), st.integers(10, 900), st.integers(10, 900))
def test_boxes_fill_their_area_by_what_they_stand_for(values: list[int], width: int, height: int) -> None:
    boxes = lay_out(sorted(values, reverse=True), Box(0, 0, width, height))
    areas = [box.width * box.height for box in boxes]
    assert areas == pytest.approx([v * width * height / sum(values) for v in sorted(values, reverse=True)])
    for box in boxes:
        assert box.x >= -1e-6
        assert box.x + box.width <= width + 1e-6
        assert box.y + box.height <= height + 1e-6
    middles = np.array([(box.x + box.width / 2, box.y + box.height / 2) for box in boxes])
    for at, (x, y) in enumerate(middles):
        inside = [
            number
            for number, box in enumerate(boxes)
            if box.x < x < box.x + box.width and box.y < y < box.y + box.height
        ]
        assert inside in ([at], []), "boxes do not overlap"
