"""Names of models in C."""

from __future__ import annotations

import pytest

from tinyedge.errors import UsageError
from tinyedge.generate.joint import check_distinct
from tinyedge.generate.names import c_name, check_c_name

FREE = ["digits", "Net2", "a", "kws_ref_model", "string_net", "inta", "x_"]
TAKEN = ["int", "class", "string", "Math", "STDIO", "sem", "te", "te_net", "TE_x", "Arduino", "static", "namespace"]
NO_NAMES = ["", "3d", "my-net", "a b", "a.b", "ä", "a/b", "a\n", "_a\x00"]


@pytest.mark.parametrize("name", FREE)
def test_a_name_that_is_free_stays(name: str) -> None:
    assert c_name(name) == name
    check_c_name(name)


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_that_others_have_is_told_apart(name: str) -> None:
    assert c_name(name) == f"model_{name}"
    with pytest.raises(UsageError, match="is a name of C, of a library or of tinyedge's runtime") as raised:
        check_c_name(name)
    assert f"--name {c_name(name)}" in raised.value.hint


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_identifier_is_refused_as_a_choice(name: str) -> None:
    with pytest.raises(UsageError, match="is no C identifier"):
        check_c_name(name)
    check_c_name(c_name(name) if c_name(name) != "model_" else "model")


@pytest.mark.parametrize("names", [("a", "a"), ("a-b", "a_b"), ("Net", "net"), ("x", "y", "x"), ("math", "model_math")])
def test_two_of_one_name(names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="have one name in C"):
        check_distinct(names)


def test_names_that_differ() -> None:
    check_distinct(["a", "b", "a_b"])
