"""Runtimes side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from kits.artifacts_by_hand import measured
from tinyedge.artifacts import ArenaProof, Figure, LayerResult, Library, Measured
from tinyedge.report.bench import bench_document, render_bench
from tinyedge.report.json import run_document
from tinyedge.report.text import render_run


def interpreted() -> Measured:
    """The same model with an interpreter: twice the instructions, an unknown time, a layer more."""
    extra = LayerResult(2, "reshape", (150,), 0, 77, 99, "RESHAPE")
    base = measured(
        instructions=Figure("counted", 364_662),
        latency_us=None,
        layers=(*measured().run.layers, extra),
        notes=("something to know",),
    )
    library = Library("TensorFlow Lite Micro 1234 (flatbuffers 25.9.23), reference kernels", {}, {}, ("tflm",), ())
    project = replace(base.built.project, runtime="tflm", arena_bytes=3072, library=library)
    size = replace(base.built.image.size, flash_bytes=62_468, constant_bytes=21_234)
    image = replace(base.built.image, size=size)
    proof = ArenaProof(3072, "Searched.", 3056, "Failed to allocate")
    return replace(base, built=replace(base.built, project=project, image=image, arena=proof))


def test_the_table(root: Path, update_golden: bool) -> None:
    text = render_bench([measured(), interpreted()])
    expected = root / "tests" / "report" / "expected" / "bench.txt"
    if update_golden:
        expected.write_text(text)
    assert text == expected.read_text()


def test_the_document() -> None:
    document = bench_document([measured(), interpreted()])
    json.dumps(document)
    assert document["schema"] == "tinyedge.bench/2"
    assert document["runtimes"] == ["aot", "tflm"]
    ratios = document["ratios"]["tflm"]
    assert (ratios["instructions"], ratios["arena"], ratios["flash"], ratios["latency"]) == (2.0, 1.5, 2.0, None)
    assert [run["memory"]["code_bytes"] for run in document["runs"]] == [31_234, 41_234]
    assert document["runs"][1]["arena"] == {
        "bytes": 3072,
        "origin": "Searched.",
        "fails_bytes": 3056,
        "message": "Failed to allocate",
    }


def test_a_run_says_what_it_carries_and_how_its_arena_is_known() -> None:
    text = render_run(interpreted())
    assert "\nTensorFlow Lite Micro 1234 (flatbuffers 25.9.23), reference kernels\n" in text
    assert "searched on the target; 3,056 B fails" in text
    document = run_document(measured())
    assert (document["library"], document["arena"]) == (None, None)


def test_an_arena_from_the_host_says_so() -> None:
    run = interpreted()
    guess = replace(run, built=replace(run.built, arena=ArenaProof(4096, "Not measured on the target.")))
    assert "host interpreter and a margin" in render_run(guess)
