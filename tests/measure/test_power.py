"""Energy by recorded power traces: the columns of three instruments, and hostile files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyedge.errors import UsageError
from tinyedge.measure.power import energy_of, read_trace

RESTING, BUSY = 0.001, 0.010
"""amperes"""
SHAPE = [0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0]
"""milliseconds asleep (0) and in an inference (1): two whole ones of 3 ms"""


def ppk2(path: Path) -> Path:
    rows = [f"{ms},{(BUSY if on else RESTING) * 1e6},{'1' if on else '0'}0000000" for ms, on in enumerate(SHAPE)]
    path.write_text("\n".join(["Timestamp(ms),Current(uA),D0-D7", *rows]))
    return path


def joulescope(path: Path) -> Path:
    rows = [f"{ms / 1000},{BUSY if on else RESTING},3.0" for ms, on in enumerate(SHAPE)]
    path.write_text("\n".join(["# a recording", "#time (s),current (A),voltage (V)", *rows]))
    return path


def lpm01a(path: Path) -> Path:
    rows = [f"{ms};{(BUSY if on else RESTING) * 1e3}" for ms, on in enumerate(SHAPE)]
    path.write_text("\n".join(["Time (ms);Current (mA)", *rows]))
    return path


@pytest.mark.parametrize(
    ("write", "trigger", "volts"),
    [(ppk2, "D0", 3.0), (ppk2, ">5mA", 3.0), (joulescope, ">5000uA", None), (lpm01a, ">5mA", 3.0)],
)
def test_the_energy_of_an_inference(tmp_path: Path, write: object, trigger: str, volts: float | None) -> None:
    assert callable(write)
    found = energy_of(read_trace(write(tmp_path / "trace.csv")), trigger, volts)
    assert found.inferences == 2
    assert found.energy_uj == pytest.approx(3e-3 * BUSY * 3.0 * 1e6)
    assert (found.smallest_uj, found.largest_uj) == (pytest.approx(found.energy_uj), pytest.approx(found.energy_uj))
    assert found.duration_us == pytest.approx(3000)


def test_a_channel_may_be_low_in_inferences(tmp_path: Path) -> None:
    found = energy_of(read_trace(ppk2(tmp_path / "trace.csv")), "D0:low", 3.0)
    assert (found.inferences, found.duration_us) == (1, pytest.approx(2000))


def test_an_inference_cut_by_the_recording_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("Timestamp(ms),Current(uA)\n" + "\n".join(f"{i},{9000}" for i in range(5)))
    with pytest.raises(UsageError, match="no whole inference"):
        energy_of(read_trace(path), ">5mA", 3.0)


@pytest.mark.parametrize(
    ("text", "trigger", "volts", "message"),
    [
        ("", "D0", 3.0, "no head"),
        ("a,b\n1,2\n", "D0", 3.0, "no head"),
        ("Timestamp(ms),Current(uA)\n", "D0", 3.0, "no samples"),
        ("Timestamp(ms),Current(uA)\n1,2\n1,2\n", "D0", 3.0, "order of time"),
        ("Timestamp(ms),Current(uA)\n1,2\n2\n", "D0", 3.0, "not whole"),
        ("Timestamp(ms),Current(uA)\n1,x\n2,3\n", "D0", 3.0, "not whole"),
        ("Timestamp(ms),Current(uA)\n1,2\n2,3\n", "D0", 3.0, "no channel"),
        ("Timestamp(ms),Current(uA)\n1,2\n2,3\n", "high", 3.0, "is none"),
        ("Timestamp(ms),Current(uA)\n1,2\n2,3\n", ">1uA", None, "no voltage"),
    ],
)
def test_what_says_nothing_is_refused(
    tmp_path: Path, text: str, trigger: str, volts: float | None, message: str
) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        energy_of(read_trace(path), trigger, volts)
