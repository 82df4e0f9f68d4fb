"""The table of stored weights in docs/compression.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import storage
from test_figures import number, tables

TOLERANCE = 0.01


def _rows(root: Path) -> list[dict[str, str]]:
    (rows,) = [rows for head, rows in tables(root / "docs" / "compression.md") if head.startswith("core | layer")]
    return [dict(row) for row in rows]


def test_constants_and_scratch_are_what_kernels_state(root: Path) -> None:
    rows = _rows(root)
    subjects = list(storage.subjects())
    assert [(s.core, s.shape, s.form) for s in subjects] == [(r["core"], r["layer"], r["weights"]) for r in rows]
    for subject, row in zip(subjects, rows, strict=True):
        stated = number(row["constants"]), number(row["scratch"])
        assert stated == (subject.constant_bytes, subject.scratch_bytes), row


def test_ratios_follow_from_the_figures(root: Path) -> None:
    plain: dict[str, str] = {}
    for row in _rows(root):
        plain = row if row["weights"] == "int8" else plain
        assert (row["core"], row["layer"]) == (plain["core"], plain["layer"])
        for figure, ratio in (
            ("instructions", "of int8's"),
            ("cycles", "of its cycles"),
            ("constants", "of its constants"),
        ):
            assert abs(number(row[ratio]) - number(row[figure]) / number(plain[figure])) <= 0.0006, row


@pytest.mark.slow
def test_counts_are_those_of_the_emulator(root: Path, tmp_path: Path) -> None:
    """Of the smaller layers; the kernels' own tests count the others."""
    for subject, row in zip(storage.subjects(), _rows(root), strict=True):
        if subject.layer.macs > 100_000:
            continue
        found = storage.measure(subject, tmp_path)
        for figure in ("instructions", "cycles"):
            assert getattr(found, figure) == pytest.approx(number(row[figure]), rel=TOLERANCE), row
