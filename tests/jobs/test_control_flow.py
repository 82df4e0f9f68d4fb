"""Loops and branches as a user runs them: on an emulated board, compared with TensorFlow Lite Micro."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.cli import tinyedge
from kits.loops import LoopModel, added_row, chosen, nested, stopped_by_state
from tinyedge.measure.oracle import oracle_available

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not oracle_available(), reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)"
    ),
]


@pytest.mark.parametrize("board", ["nrf52840dk", "rpi_pico", "hifive1_revb"])
@pytest.mark.parametrize(
    ("tflite", "layer"),
    [
        (LoopModel(added_row).build(0, 1), ("while", "portable/loop")),
        (stopped_by_state(), ("while", "portable/loop")),
        (nested(), ("while", "portable/loop")),
        (chosen(), ("if", "portable/branch")),
    ],
    ids=["row", "stopped", "nested", "chosen"],
)
def test_a_board_computes_what_the_interpreter_does(
    tflite: bytes, layer: tuple[str, str], board: str, tmp_path: Path
) -> None:
    (tmp_path / "model.tflite").write_bytes(tflite)
    outcome = tinyedge("run", "model.tflite", "--board", board, "--json", cwd=tmp_path, timeout_s=600)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert (document["verify"]["mismatches"], document["selftest"]) == (0, "ok")
    assert [(row["operator"], row["kernel"]) for row in document["layers"]] == [layer]
    assert document["instructions"]["value"] > 10
