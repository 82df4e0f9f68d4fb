"""The other forms of a report: JSON, SVG, HTML, JUnit, budgets."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.artifacts_by_hand import board, measured, model, plan_of_fake
from tinyedge.artifacts import Measured, Mismatch
from tinyedge.artifacts.model import Labelled
from tinyedge.boards import list_boards
from tinyedge.errors import CheckError, UsageError
from tinyedge.report.files import RunFiles
from tinyedge.report.html import run_html
from tinyedge.report.json import (
    boards_document,
    build_document,
    doctor_document,
    plan_document,
    run_document,
    train_document,
)
from tinyedge.report.junit import Case, junit_xml, run_junit
from tinyedge.report.memory import memory_over_time, peak_step
from tinyedge.report.svg import plan_svg
from tinyedge.report.text import render_run
from tinyedge.report.verdict import judge

RUN_KEYS: dict[str, Any] = {
    "schema": None,
    "model": None,
    "board": None,
    "runtime": None,
    "compiler": None,
    "emulator": None,
    "accuracy": {"float", "int8", "device", "further"},
    "verify": {"samples", "mismatches"},
    "instructions": {"kind", "value"},
    "cycles": {"kind", "value", "error_percent"},
    "latency_us": {"kind", "value"},
    "memory": {"flash_bytes", "ram_bytes", "arena_bytes", "stack_peak_bytes"},
    "layers": {"index", "operator", "output_shape", "macs", "instructions", "cycles"},
    "digests": set(),
}
"""what readers of `tinyedge.run/2` were promised, in this order"""


def silent() -> Measured:
    return measured(instructions=None, instructions_spread=None, cycles=None, cycles_spread=None, latency_us=None)


@pytest.mark.parametrize("run", [measured(), silent(), measured(mismatches=1, first_mismatch=Mismatch(1, None, "", 0))])
def test_the_document_of_a_run_has_every_promised_key(run: Measured) -> None:
    document = run_document(run)
    assert list(document)[: len(RUN_KEYS)] == list(RUN_KEYS)
    for key, inner in RUN_KEYS.items():
        for part in document[key] if isinstance(document[key], list) else [document[key]]:
            assert inner is None or inner <= set(part)
    assert json.loads(json.dumps(document)) == document


def test_the_document_of_a_run_holds_its_figures() -> None:
    document = run_document(measured())
    assert document["schema"] == "tinyedge.run/2"
    assert document["accuracy"] == {"float": 0.9833, "int8": 0.9806, "device": 0.9806, "further": {}}
    assert document["instructions"] == {"kind": "counted", "value": 182_331, "spread": [182_300, 182_400]}
    assert document["cycles"] == {
        "kind": "modelled",
        "value": 307_991,
        "error_percent": 5.0,
        "spread": [307_900, 308_100],
    }
    assert document["memory"]["arena_bytes"] == 2048
    assert document["layers"][1]["output_shape"] == [1, 150]
    assert {len(value) for value in document["digests"].values()} == {64}


def test_what_nothing_counts_is_null() -> None:
    document = run_document(silent())
    assert document["instructions"] == {"kind": None, "value": None}
    assert document["cycles"] == {"kind": None, "value": None, "error_percent": None}
    assert document["latency_us"] == {"kind": None, "value": None}


def test_the_first_mismatch_is_in_the_document() -> None:
    document = run_document(measured(mismatches=2, first_mismatch=Mismatch(4, 1, "relu", 17)))
    assert document["verify"] == {
        "samples": 360,
        "mismatches": 2,
        "first_mismatch": {"sample": 4, "layer": 1, "operator": "relu", "output_byte": 17},
    }
    assert document["reference"] == "TensorFlow Lite Micro"


def test_other_outputs_have_another_digest() -> None:
    other = (np.ones((360, 1, 150), np.int8),)
    assert run_document(measured(outputs=other))["digests"]["outputs"] != run_document(measured())["digests"]["outputs"]


def test_the_other_documents() -> None:
    built = measured().built
    build = build_document(built.project, built.image)
    assert (build["schema"], build["files"]["elf"], build["files"]["uf2"]) == (
        "tinyedge.build/1",
        str(built.image.elf),
        None,
    )
    assert len(build["symbols"]) == 10
    assert build["memory"]["flash_limit_bytes"] == 1_044_480
    train = train_document(model())
    assert (train["schema"], train["accuracy"]["int8"], train["sparsity"]) == ("tinyedge.train/1", 0.9806, 0.75)
    plan = plan_document(plan_of_fake())
    assert (plan["schema"], plan["arena_bytes"], plan["peak_step"]) == ("tinyedge.plan/1", 2048, 1)
    doctor = doctor_document([{"name": "zig", "version": "0.17.0"}], ok=True)
    assert doctor == {"schema": "tinyedge.doctor/1", "ok": True, "tools": [{"name": "zig", "version": "0.17.0"}]}
    for document in (build, train, plan, doctor):
        assert json.loads(json.dumps(document)) == document


def test_the_document_of_the_boards_holds_all_of_them() -> None:
    boards = list_boards()
    document = boards_document(boards)
    assert document["schema"] == "tinyedge.boards/1"
    assert [entry["name"] for entry in document["boards"]] == [entry.name for entry in boards]
    assert json.loads(json.dumps(document)) == document


def test_memory_over_time_counts_overlapping_buffers_once() -> None:
    plan = plan_of_fake()
    assert [(step.used_bytes, step.top_bytes) for step in memory_over_time(plan)] == [(1024, 2048), (1536, 2048)]
    overlapping = replace(plan, buffers=(*plan.buffers, replace(plan.buffers[0], offset=256, bytes=512)))
    assert memory_over_time(overlapping)[0].used_bytes == 1024 + 256
    assert peak_step(plan) == 1


SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_draws_every_buffer_where_it_lies() -> None:
    plan = plan_of_fake()
    image = ET.fromstring(plan_svg(plan))
    rectangles = [r for r in image.iter(f"{SVG}rect") if r.get("class") == "buffer"]
    assert len(rectangles) == len(plan.buffers)
    for rectangle, buffer in zip(rectangles, plan.buffers, strict=True):
        assert float(rectangle.get("height", "")) == pytest.approx(400 * buffer.bytes / 2048, abs=0.1)
        assert float(rectangle.get("x", "")) == pytest.approx(90 + 420 * buffer.first, abs=0.1)
    text = "".join(image.itertext())
    assert "arena 2,048 B" in text
    assert "lower bound 1,536 B; peak of 1,536 B at step 1, operator 1 (relu)" in text
    assert plan_svg(plan) == plan_svg(plan_of_fake())


def test_the_picture_draws_the_arena_and_its_lower_bound_as_lines_across() -> None:
    """The arena's line is whole and at the top, the bound's is dashed and at its share of the height."""
    plan = replace(plan_of_fake(), lower_bound_bytes=1536)
    image = ET.fromstring(plan_svg(plan))
    levels = {}
    children = list(image)
    for line, text in itertools.pairwise(children):
        name = text.find(f"{SVG}title") if line.tag == f"{SVG}line" and text.tag == f"{SVG}text" else None
        if name is not None:
            assert line.get("y1") == line.get("y2")
            assert (line.get("x1"), line.get("x2")) == ("90", "930"), "from edge to edge"
            levels[name.text] = (float(line.get("y1", "")), line.get("stroke-dasharray"), "".join(text.itertext()))
    assert levels == {
        "arena": (56.0, "none", "arena2,048 B"),
        "lower bound": (156.0, "6 4", "lower bound1,536 B"),
    }


def test_the_picture_names_buffers_inside_them_and_numbers_the_steps() -> None:
    plan = plan_of_fake()
    long = replace(plan.buffers[0], name="n" * 100)
    flat = replace(plan.buffers[1], name="flat", bytes=2048 * 12 // 400)
    image = ET.fromstring(plan_svg(replace(plan, buffers=(long, flat))))
    assert (image.get("width"), image.get("height"), image.get("viewBox")) == ("946", "496", "0 0 946 496")
    named, unnamed = image.findall(f"{SVG}g")
    box, label = named.find(f"{SVG}rect"), named.find(f"{SVG}text")
    assert box is not None
    assert label is not None
    assert box.get("width") == "420.0", "alive at one step of two"
    assert label.text == "n" * 65 + "…", "as many letters of 6.2 pixels as 414 have room for"
    assert float(label.get("x", "")) == float(box.get("x", "")) + 3
    middle = float(box.get("y", "")) + float(box.get("height", "")) / 2
    assert float(label.get("y", "")) == pytest.approx(middle + 4, abs=0.1)
    assert unnamed.find(f"{SVG}text") is None, "too flat for letters"
    numbers = {text.text: text.get("x") for text in image.findall(f"{SVG}text") if text.get("y") == "471"}
    assert numbers == {"0": "300.0", "1": "720.0"}, "in the middle of their steps"


def test_the_picture_of_a_plan_above_its_bound_and_of_none() -> None:
    """Both lines lie at the top when the bound is reached; a plan without bytes is still a picture."""
    reached = replace(plan_of_fake(), lower_bound_bytes=2048)
    lines = [line.get("y1") for line in ET.fromstring(plan_svg(reached)).iter(f"{SVG}line")]
    assert lines[:2] == ["56.0", "56.0"]
    ET.fromstring(plan_svg(replace(plan_of_fake(), buffers=(), arena_bytes=0, lower_bound_bytes=0)))


def test_names_cannot_break_out_of_the_pictures() -> None:
    plan = plan_of_fake()
    evil = replace(plan, buffers=tuple(replace(b, name='<script>"&') for b in plan.buffers))
    assert "<script>" not in plan_svg(evil)
    ET.fromstring(plan_svg(evil))


class Tags(HTMLParser):
    """Checks that tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("run", [measured(), silent(), measured(layers=(), notes=("<b>bold</b>",), mismatches=3)])
def test_the_page_is_whole_and_asks_nobody(run: Measured) -> None:
    page = run_html(run)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert {"table", "svg", "h1"} <= tags.seen
    assert "script" not in tags.seen
    assert set(re.findall(r"https?://[^\"']*", page)) == {"http://www.w3.org/2000/svg"}
    assert "<b>bold" not in page
    assert ("mismatches</small>" in page) == bool(run.run.mismatches)


def cases_of(text: str) -> list[tuple[str | None, str]]:
    suite = ET.fromstring(text)[0]
    assert suite.get("tests") == str(len(suite))
    return [(case[0].tag if len(case) else None, case[0].get("message", "") if len(case) else "") for case in suite]


def test_junit_of_a_good_run() -> None:
    assert [kind for kind, _ in cases_of(run_junit(measured()))] == [None] * 5


def test_junit_of_a_bad_run() -> None:
    bad = measured(mismatches=2, first_mismatch=Mismatch(4, 1, "relu", 17), device_accuracy=0.5)
    kinds = cases_of(run_junit(bad, [Case("budget", 'flash "grew" & <broke>')]))
    assert kinds[0] == (
        "failure",
        "2 of 360 samples differ from TensorFlow Lite Micro; the first is sample 4, output byte 17, in layer 1 relu",
    )
    assert kinds[1][0] == "failure"
    assert kinds[5] == ("failure", 'flash "grew" & <broke>')


def test_every_output_with_classes_has_its_accuracy_in_each_report() -> None:
    size = Labelled(2, "size", np.zeros((360, 4), np.int64), float_accuracy=0.9, int8_accuracy=0.75)
    model = replace(measured().built.prepared.model, further_labels=(size,))
    prepared = replace(measured().built.prepared, model=model)
    built = replace(measured().built, prepared=prepared)
    right, wrong = (replace(measured(further_accuracies={"size": value}), built=built) for value in (0.75, 0.5))
    assert run_document(right)["accuracy"]["further"] == {"size": {"float": 0.9, "int8": 0.75, "device": 0.75}}
    assert "  `size`      float 0.9000   int8 0.7500   device 0.7500\n" in render_run(right)
    assert cases_of(run_junit(right))[2] == (None, "")
    assert cases_of(run_junit(wrong))[2] == ("failure", "accuracy on the device is 0.5000, of the int8 model 0.7500")


def test_a_failed_self_test_is_a_failure_everywhere() -> None:
    broken = measured(selftest="fail")
    assert cases_of(run_junit(broken))[4] == ("failure", "the firmware's self-test gave `fail`")
    assert run_document(broken)["selftest"] == "fail"
    assert render_run(broken).startswith("SELF-TEST FAILED")
    assert "self-test gave" in run_html(broken).partition("</h1>")[0]
    with pytest.raises(CheckError, match="self-test gave `fail`"):
        judge(broken)
    judge(measured())


def test_junit_skips_what_cannot_be_known() -> None:
    assert cases_of(run_junit(measured(device_accuracy=None)))[1] == ("skipped", "no labelled samples")
    assert cases_of(run_junit(measured(samples=5)))[1] == ("skipped", "not the whole test set")
    assert cases_of(junit_xml("empty", [])) == []


def test_data_that_was_made_up_is_said_in_every_report_of_a_run() -> None:
    said = "points <drawn> & made up"
    prepared = replace(measured().built.prepared, model=replace(model(), made_up=said))
    found = replace(measured(), built=replace(measured().built, prepared=prepared))
    assert run_document(found)["made_up_data"] == said
    assert f"  made up: {said}\n" in render_run(found)
    assert "made up: points &lt;drawn&gt; &amp; made up" in run_html(found)
    suite = ET.fromstring(run_junit(found))[0]
    assert [each.attrib for each in suite.iter("property")] == [{"name": "made_up_data", "value": said}]
    assert [case.get("name") for case in suite.iter("testcase")] == [case.get("name") for case in good_cases()]
    assert train_document(replace(model(), made_up=said))["made_up_data"] == said
    for report in (render_run(measured()), run_html(measured()), run_junit(measured())):
        assert "made" not in report
    assert "made_up_data" not in run_document(measured())


def good_cases() -> list[ET.Element]:
    return list(ET.fromstring(run_junit(measured()))[0].iter("testcase"))


def test_a_board_by_hand_is_a_board() -> None:
    (entry,) = boards_document([board()])["boards"]
    assert entry["usb_ids"] == ["1366:1015"]
    assert entry["memories"][0] == {"name": "flash", "start": 0, "size_bytes": 1_048_576}


@pytest.mark.parametrize("name", ["outputs", "html", "junit"])
def test_a_file_in_a_folder_that_is_not_there_is_refused_first(name: str, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "file.npy"
    with pytest.raises(UsageError, match=r"the folder `.*nowhere` does not exist") as caught:
        RunFiles(**{name: path})
    assert caught.value.hint == f"`mkdir -p {path.parent}`"
    assert not path.parent.exists()
