"""The table and the document of `tinyedge fit`, of figures made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyedge.artifacts import Figure
from tinyedge.artifacts.prediction import AimFit, BoardFit, Fit, Prediction
from tinyedge.boards import load_board
from tinyedge.report.energy import parse_duty
from tinyedge.report.fit import fit_document, render_fit
from tinyedge.report.table import fitted

EXPECTED = Path(__file__).parent / "expected"


def prediction(flash: int, ram: int, instructions: int = 1_000_000, uncounted: tuple[str, ...] = ()) -> Prediction:
    return Prediction(
        instructions=instructions,
        instructions_error_percent=1.5,
        cycles=1_300_000,
        cycles_error_percent=2.0,
        misses={},
        misses_error_percent=0.0,
        flash_bytes=flash,
        flash_error_percent=0.5,
        ram_bytes=ram,
        arena_bytes=ram - 2800,
        state_bytes=0,
        constant_bytes=flash // 2,
        units=(),
        uncounted=uncounted,
    )


def aim_on(board: str, found: Prediction, *, timed: bool = False) -> AimFit:
    at = load_board(board)
    assert found.flash_bytes is not None
    assert found.ram_bytes is not None
    return AimFit(
        prediction=found,
        flash_room_bytes=at.flash_limit_bytes - found.flash_bytes,
        ram_room_bytes=at.ram.size_bytes - found.ram_bytes,
        instructions=Figure("predicted", found.instructions, 1.5),
        cycles=Figure("predicted", 1_300_000, 12.0, at_zero_wait_states=not timed),
        latency_us=Figure("predicted", 10_833.3, 17.0) if timed else None,
        energy_uj=Figure("predicted", 91.0, 30.0) if timed else None,
    )


def example() -> Fit:
    large, small = prediction(90_000, 30_000), prediction(80_000, 26_000, 1_500_000, ("armv7em/new",))
    blue = {"balanced": aim_on("bluepill", large), "size": aim_on("bluepill", small)}
    calibrated = {
        "balanced": aim_on("nucleo_l4r5zi", large, timed=True),
        "size": aim_on("nucleo_l4r5zi", small, timed=True),
    }
    return Fit(
        "net",
        "0123456789abcdef",
        "zig",
        "balanced",
        (
            BoardFit(load_board("bluepill"), blue, advice=("a larger board: `nucleo_l4r5zi`",)),
            BoardFit(load_board("nucleo_l4r5zi"), calibrated),
            BoardFit(load_board("host"), {}, "this computer has no limits"),
        ),
        ("a note",),
    )


def test_text(update_golden: bool) -> None:
    with fitted(80):
        text = render_fit(example(), parse_duty("1/s", "220mAh@3V", 2.0))
    path = EXPECTED / "fit.txt"
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines()[:-5])) <= 80


def test_document() -> None:
    document = fit_document(example(), parse_duty("1/s", "220mAh@3V", 2.0))
    blue, calibrated, host = document["boards"]
    assert document["schema"] == "tinyedge.fit/1"
    assert (blue["name"], blue["fits"], calibrated["fits"], host["fits"]) == ("bluepill", False, True, None)
    assert blue["ram_left_bytes"] == 20_480 - 30_000
    assert blue["latency_us"] == {"kind": None, "value": None}
    assert calibrated["latency_us"] == {"kind": "predicted", "value": 10_833.3, "error_percent": 17.0}
    assert blue["tightest"] == {"memory": "RAM", "share": pytest.approx(1.4648)}
    assert set(calibrated["aims"]) == {"balanced", "size"}
    assert calibrated["battery_days"]["kind"] == "predicted"
    assert blue["battery_days"] is None


def test_what_was_never_counted_is_told() -> None:
    assert "nobody counted `armv7em/new` yet" in " ".join(render_fit(example()).split())
