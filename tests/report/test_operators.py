"""The list of operators, and the page that is made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.cli import assert_refused, tinyedge
from tinyedge.ops import OPERATORS
from tinyedge.ops.checks.float_only import FLOAT_ONLY, NO_KERNEL
from tinyedge.report.operators import list_operators, render_operators, render_operators_page


def test_every_operator_has_rules_and_kernels() -> None:
    operators = list_operators()
    assert [op.name for op in operators] == sorted(OPERATORS)
    for op in operators:
        assert op.kernels, f"no kernel runs `{op.name}`"
        assert op.rules, f"`{op.name}` has no rule"
        for rule in op.rules:
            assert rule.endswith("."), f"`{op.name}`: the rule {rule!r} is no sentence"


def test_the_page_is_that_of_the_code(root: Path, update_golden: bool) -> None:
    path = root / "docs" / "operators.md"
    page = render_operators_page(list_operators())
    if update_golden:
        path.write_text(page, encoding="utf-8")
    current = path.read_text(encoding="utf-8")
    assert current == page, "docs/operators.md is old: `tinyedge ops --markdown > docs/operators.md` writes it anew"


def test_the_page_says_what_to_use_instead() -> None:
    page = render_operators_page(list_operators())
    assert "| neg | subtract from a constant zero: sub(0, x) |" in page
    assert not set(OPERATORS) & {*FLOAT_ONLY, *NO_KERNEL}


def test_one_operator_with_its_rules() -> None:
    text = render_operators(list_operators("softmax"))
    assert text.startswith("softmax\n\n- It has 1 input and one output.\n")
    assert "portable/softmax" in text


@pytest.mark.parametrize(("name", "hint"), [("conv2d", "`conv_2d`"), ("nothing_like_it", "tinyedge ops")])
def test_an_unknown_operator(tmp_path: Path, name: str, hint: str) -> None:
    assert_refused(tinyedge("ops", name, cwd=tmp_path), 2, f"`{name}`", hint)


def test_the_command(tmp_path: Path) -> None:
    document = json.loads(tinyedge("ops", "--json", cwd=tmp_path).stdout)
    assert document["schema"] == "tinyedge.ops/1"
    assert {"name", "rules", "kernels"} == set(document["operators"][0])
    assert len(document["operators"]) == len(OPERATORS)
    assert "conv_2d" in tinyedge("ops", cwd=tmp_path).stdout
