"""Runs compared by what their documents say: changes, regressions, layers, folders, and files that nobody can trust."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kits.artifacts_by_hand import measured
from kits.cli import Outcome, assert_refused, within
from tinyedge.artifacts import Figure, LayerResult, Measured
from tinyedge.report.bench import bench_document
from tinyedge.report.compare import Thresholds, compare_all, read_subjects, subjects_of
from tinyedge.report.compare.pareto import find_pareto, pareto_svg, render_pareto
from tinyedge.report.compare.thresholds import GrowthPercent
from tinyedge.report.json import runs_document
from tinyedge.report.measured import measured_document
from tinyedge.table_keys import describe_keys

Tell = Callable[..., Outcome]
BASE = measured()


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tell:
    """`tinyedge compare WORDS` in tmp_path."""
    return lambda *words: within(tmp_path, monkeypatch, capsys, "compare", *words)


def write(path: Path, content: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)


def document(found: Measured = BASE, **changes: Any) -> dict[str, Any]:
    return measured_document(found) | changes


def slower(percent: float) -> Measured:
    """A run of so many more instructions."""
    return measured(instructions=Figure("counted", 182_331 * (1 + percent / 100)))


def test_a_run_is_no_worse_than_itself(tell: Tell, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.json", document()), write(tmp_path / "b.json", document())
    outcome = tell(a, b, "--json")
    assert outcome.code == 0, outcome.stderr
    found = json.loads(outcome.stdout)
    assert (found["schema"], found["ok"]) == ("tinyedge.compare/1", True)
    (only,) = found["comparisons"]
    assert {cell["change_percent"] for row in only["figures"].values() for cell in row[1:]} == {0.0}
    assert only["regressions"] == []
    assert "all 2 layers cost the same" in tell(a, b).stdout


@pytest.mark.parametrize(("percent", "code"), [(2.9, 0), (3.1, 1), (5, 1), (-40, 0)])
def test_five_percent_more_instructions_fail(tell: Tell, tmp_path: Path, percent: float, code: int) -> None:
    a = write(tmp_path / "a.json", document())
    b = write(tmp_path / "b.json", document(slower(percent)))
    outcome = tell(a, b, "--json", "--junit", "gate.xml", "--markdown", "gate.md")
    assert outcome.code == code, outcome.stderr
    assert json.loads(outcome.stdout)["ok"] is not bool(code)
    failures = [
        case.get("name")
        for case in ET.parse(tmp_path / "gate.xml").iter("testcase")
        if case.find("failure") is not None
    ]
    assert failures == (["fake on test_board (aot, balanced, unicorn): b: instructions"] if code else [])
    assert ("**1 regression**" in (tmp_path / "gate.md").read_text()) is bool(code)
    if code:
        assert_refused(outcome, 1, "instructions 182,331 -> ", f"+{percent:.2f} %", "let through 187,801")
        assert tell(a, b, "--report-only").code == 0


@pytest.mark.parametrize(
    ("key", "inner", "value"),
    [
        ("memory", "flash_bytes", 40_000),
        ("memory", "ram_bytes", 20_000),
        ("memory", "arena_bytes", 3000),
        ("memory", "stack_peak_bytes", 5000),
        ("cycles", "value", 999_999),
        ("latency_us", "value", 99_999),
        ("accuracy", "device", 0.9),
        ("verify", "mismatches", 1),
    ],
)
def test_every_figure_is_judged(tell: Tell, tmp_path: Path, key: str, inner: str, value: float) -> None:
    worse = document()
    worse[key] = worse[key] | {inner: value}
    a, b = write(tmp_path / "a.json", document()), write(tmp_path / "b.json", worse)
    assert_refused(tell(a, b), 1, "1 regression:")
    assert tell(b, a).code == 0, "an improvement is none"


def test_thresholds_come_from_a_file(tell: Tell, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.json", document()), write(tmp_path / "b.json", document(slower(5)))
    gate = tmp_path / "gate.toml"
    for text, code in (
        ("[growth_percent]\ninstructions = 6\n", 0),
        ("[growth_percent]\ndefault = 6\n", 0),
        ("[growth_percent]\ndefault = 6\ninstructions = 4\n", 1),
        ('ignore = ["instructions"]\n', 0),
    ):
        gate.write_text(text)
        assert tell(a, b, "--thresholds", str(gate)).code == code, text
    for text in (
        "growth = 3",
        "[growth_percent]\nflash = 1",
        "accuracy_fall = 2",
        'ignore = ["flash"]',
        "[",
        "[growth_percent]\ncycles = -1",
    ):
        gate.write_text(text)
        assert_refused(tell(a, b, "--thresholds", str(gate)), 2, "gate.toml", "thresholds")


def test_single_layers_are_judged_when_asked_for(tell: Tell, tmp_path: Path) -> None:
    first, second = BASE.run.layers
    worse = measured(layers=(replace(first, instructions=88_000), second))
    a, b = write(tmp_path / "a.json", document()), write(tmp_path / "b.json", document(worse))
    assert tell(a, b).code == 0
    assert "80,000" in tell(a, b).stdout
    (tmp_path / "gate.toml").write_text("[layer_growth_percent]\ninstructions = 5\n")
    outcome = tell(a, b, "--thresholds", "gate.toml")
    assert_refused(outcome, 1, "instructions of layer 0 `add` 80,000 -> 88,000 (+10.00 %; let through 84,000)")


def test_layers_of_other_models_stand_beside_what_is_like_them() -> None:
    added = LayerResult(1, "pad", (1, 152), 0, 500, 700)
    moved = (replace(BASE.run.layers[0]), added, replace(BASE.run.layers[1], index=2, output_shape=(1, 160)))
    groups = [subjects_of(BASE, "a"), subjects_of(measured(layers=moved), "b")]
    (found,) = compare_all(groups, Thresholds())
    pairs = [tuple(layer and (layer.index, layer.operator) for layer in row.layers) for row in found.layers]
    assert pairs[0] == ((0, "add"), (0, "add"))
    assert {each for pair in pairs for each in pair if each} == {(0, "add"), (1, "relu"), (1, "pad"), (2, "relu")}
    assert len(pairs) <= 4


def test_what_is_measured_is_not_judged_by_what_is_modelled(tell: Tell, tmp_path: Path) -> None:
    board = document(measured(cycles=Figure("measured", 900_000), latency_us=None, instructions=None))
    outcome = tell(write(tmp_path / "a.json", document()), write(tmp_path / "b.json", board))
    assert outcome.code == 0, outcome.stderr
    assert "note: cycles is modelled and measured: not judged" in outcome.stdout
    assert "note: instructions is not known of all" in outcome.stdout


def test_folders_are_compared_run_by_run(tell: Tell, tmp_path: Path) -> None:
    pico = document(board="rpi_pico")
    write(tmp_path / "base" / "one.json", document())
    write(tmp_path / "base" / "pico.json", pico)
    write(tmp_path / "base" / "package.json", {"name": "no run"})
    write(tmp_path / "now" / "other name.json", runs_document([pico, document(slower(1))]))
    assert tell("base", "now").code == 0
    (tmp_path / "now" / "other name.json").unlink()
    write(tmp_path / "now" / "one.json", document(slower(10)))
    outcome = tell("base", "now", "--json")
    assert_refused(
        outcome,
        1,
        "2 regressions:",
        "now/one: instructions",
        "fake on rpi_pico (aot, balanced, unicorn): not in number 2",
    )
    assert [each["lost"] for each in json.loads(outcome.stdout)["comparisons"]] == [False, True]
    assert tell("now", "base").code == 0, "a run that is new is no regression"
    write(tmp_path / "now" / "again.json", document())
    assert_refused(tell("base", "now"), 2, "now/again", "now/one", "nobody can tell")


def test_folders_of_one_run_are_compared_by_what_it_is_of(tell: Tell, tmp_path: Path) -> None:
    write(tmp_path / "base" / "a.json", document(model="other"))
    write(tmp_path / "now" / "a.json", document())
    assert_refused(tell("base", "now"), 1, "other on test_board (aot, balanced, unicorn): not in number 2")
    write(tmp_path / "now" / "b.json", document(model="other"))
    assert tell("base/a.json", "now").code == 0


def test_a_bench_is_two_runs(tmp_path: Path) -> None:
    runs = bench_document(
        [BASE, replace(BASE, built=replace(BASE.built, project=replace(BASE.built.project, runtime="tflm")))]
    )
    write(tmp_path / "bench.json", runs)
    found = read_subjects(tmp_path / "bench.json")
    assert [(subject.label, subject.runtime) for subject in found] == [("bench aot", "aot"), ("bench tflm", "tflm")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "3",
        "{}",
        '{"schema": 7}',
        '{"schema": "tinyedge.run/99"}',
        '{"schema": "tinyedge.plan/1"}',
        '{"schema": "tinyedge.run/2"}',
        '{"schema": "tinyedge.run/2", "model": 3}',
        '{"schema": "tinyedge.runs/2", "runs": {}}',
        '{"schema": "tinyedge.runs/2", "runs": [3]}',
        '{"schema": "tinyedge.run/2", "memory": NaN}',
        "[" * 100_000,
        "\udcff",
    ],
)
def test_what_is_no_document_of_a_run_is_refused(tell: Tell, tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    good = write(tmp_path / "good.json", document())
    assert_refused(tell(good, "bad.json"), 2, "bad.json")


@pytest.mark.parametrize("words", [(), ("a.json",), ("a.json", "b.json"), ("a.json", "nothing"), ("a.json", "empty")])
def test_what_cannot_be_compared_is_refused(tell: Tell, tmp_path: Path, words: tuple[str, ...]) -> None:
    write(tmp_path / "a.json", document())
    (tmp_path / "empty").mkdir()
    assert_refused(tell(*words), 2)


def test_several_stand_side_by_side_with_a_picture(tell: Tell, tmp_path: Path) -> None:
    sizes = {"fast": (1000, 900), "small": (3000, 100), "poor": (3000, 950), "middle": (2000, 300)}
    for name, (count, flash) in sizes.items():
        found = document(measured(instructions=Figure("counted", count), cycles=None, latency_us=None))
        write(tmp_path / f"{name}.json", found | {"memory": found["memory"] | {"flash_bytes": flash}})
    files = [f"{name}.json" for name in sizes]
    outcome = tell(*files, "--report-only", "--svg", "front.svg", "--pareto", "instructions,flash_bytes")
    assert outcome.code == 0, outcome.stderr
    for line in ("A* fast: 1,000, 900 B", "B* small: 3,000, 100 B", "C  poor: 3,000, 950 B", "D* middle: 2,000, 300 B"):
        assert line in outcome.stdout.splitlines()
    circles = ET.parse(tmp_path / "front.svg").iter("{http://www.w3.org/2000/svg}circle")
    assert [circle.get("fill") for circle in circles] == ["#219ebc", "#219ebc", "#8a8a8a", "#219ebc"]
    assert max(map(len, outcome.stdout.splitlines())) < 250
    assert_refused(tell(*files, "--pareto", "flash,arena_bytes"), 2, "flash_bytes")
    assert_refused(tell(*files, "--pareto", "latency_us,arena_bytes"), 2, "fewer than two")


def test_a_picture_of_equal_runs_and_of_accuracies() -> None:
    same = find_pareto([*subjects_of(BASE, "<a>"), *subjects_of(BASE, "b")])
    assert same is not None
    assert [point.front for point in same.points] == [True, True]
    ET.fromstring(pareto_svg(same))
    better = find_pareto([*subjects_of(BASE, "a"), *subjects_of(measured(device_accuracy=0.99), "b")])
    assert better is not None
    assert (better.y, [point.front for point in better.points]) == ("accuracy", [False, True])
    assert "0.9900" in render_pareto(better, 40)


def test_every_key_of_thresholds_has_a_sentence() -> None:
    for kind in (Thresholds, GrowthPercent):
        assert [key.name for key in describe_keys(kind) if not key.doc] == []


@pytest.mark.slow
def test_models_are_run_and_compared(tell: Tell, tmp_path: Path) -> None:
    from kits.models import small_convolution

    (tmp_path / "a.tflite").write_bytes(small_convolution())
    write(tmp_path / "old.json", document())
    outcome = tell("a.tflite", "a.tflite", "--board", "nrf52840", "--samples", "1", "--json")
    assert outcome.code == 0, outcome.stderr
    (only,) = json.loads(outcome.stdout)["comparisons"]
    assert [run["label"] for run in only["runs"]] == ["a.tflite (1)", "a.tflite (2)"]
    assert only["figures"]["instructions"][1]["change_percent"] == 0
