"""Tables fold to the terminal: no line is wider, no figure breaks, nothing is lost; elsewhere they come as they are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kits.artifacts_by_hand import measured
from tinyedge.boards import list_boards
from tinyedge.report.operators import list_operators, render_operators
from tinyedge.report.table import fitted, format_pairs, render_table
from tinyedge.report.text import render_boards, render_run

HEADERS = ("layer", "operator", "cycles (modelled)", "kernel")
ROWS = [
    ("0", "conv_2d", 1_234_567, "armv7em/conv_2d_4x2"),
    ("1", "fully_connected", 12, "armv7em/fully_connected_pairs"),
    ("", "all", 1_234_579, ""),
]


def words(text: str) -> list[str]:
    return sorted(re.findall(r"[^\s;]+", text))


def test_without_a_limit_every_row_is_a_line() -> None:
    assert render_table(HEADERS, ROWS) == (
        "layer  operator         cycles (modelled)  kernel\n"
        "    0  conv_2d                  1,234,567  armv7em/conv_2d_4x2\n"
        "    1  fully_connected                 12  armv7em/fully_connected_pairs\n"
        "       all                      1,234,579"
    )


def test_headers_fold_before_text_goes_below_its_row() -> None:
    with fitted(70):
        assert render_table(HEADERS, ROWS) == (
            "layer  operator             cycles  kernel\n"
            "                        (modelled)\n"
            "    0  conv_2d           1,234,567  armv7em/conv_2d_4x2\n"
            "    1  fully_connected          12  armv7em/fully_connected_pairs\n"
            "       all               1,234,579"
        )
    with fitted(45):
        assert render_table(HEADERS, ROWS) == (
            "layer  operator         cycles (modelled)\n"
            "    0  conv_2d                  1,234,567\n"
            "    kernel armv7em/conv_2d_4x2\n"
            "    1  fully_connected                 12\n"
            "    kernel armv7em/fully_connected_pairs\n"
            "       all                      1,234,579"
        )


def test_pairs_fold_under_their_text() -> None:
    with fitted(30):
        assert format_pairs([("verify", "450 samples, 0 mismatches: good"), ("x", "3 us")]) == (
            "verify  450 samples, 0\n        mismatches: good\nx       3 us"
        )


def test_the_boards_fit_eighty_columns() -> None:
    boards = list_boards()
    whole = render_boards(boards)
    with fitted(80):
        folded = render_boards(boards)
    assert max(map(len, folded.splitlines())) <= 80
    assert set(words(whole)) <= set(words(folded))
    nano = folded.splitlines().index(next(line for line in folded.splitlines() if line.startswith("arduino_nano")))
    assert folded.splitlines()[nano + 1].strip().startswith("alias nano33ble; ")


def test_a_run_and_the_operators_fit_eighty_columns() -> None:
    run = measured()
    layers = tuple(replace(layer, kernel="armv7em/fully_connected_pairs") for layer in run.run.layers)
    run = replace(run, run=replace(run.run, layers=layers))
    with fitted(80):
        for text in (render_run(run), render_operators(list_operators())):
            assert [line for line in text.splitlines()[2:] if len(line) > 80] == []


CELLS = st.one_of(st.none(), st.integers(0, 10**9), st.text("abc /[]", max_size=30))


@given(
    rows=st.integers(1, 4).flatmap(lambda columns: st.lists(st.tuples(*[CELLS] * columns), min_size=1, max_size=4)),
    limit=st.integers(10, 100),
)
def test_nothing_is_lost_at_any_width(rows: list[tuple[str | int | None, ...]], limit: int) -> None:
    headers = [f"header {i}" for i in range(len(rows[0]))]
    whole = render_table(headers, rows)
    assert len(whole.split("\n")) == len(rows) + 1
    with fitted(limit):
        folded = render_table(headers, rows)
    assert Counter("".join(words(whole))) <= Counter("".join(words(folded)))
    for column in zip(*rows, strict=True):
        if all(isinstance(cell, int) for cell in column):
            assert all(f"{cell:,}" in folded for cell in column)
