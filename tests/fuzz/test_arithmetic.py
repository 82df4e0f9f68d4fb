"""Every operator's arithmetic equals TensorFlow Lite Micro's over extreme quantizations: see `kits.arithmetic_fuzz`."""

from __future__ import annotations

import pytest

from kits.arithmetic_fuzz import ENOUGH, MAKERS, fuzz

QUICK = 2_000


@pytest.mark.parametrize(("operator", "dtype"), MAKERS)
def test_some_elements(operator: str, dtype: str) -> None:
    assert fuzz(operator, dtype, QUICK).wrong == 0


@pytest.mark.slow
@pytest.mark.parametrize(("operator", "dtype"), MAKERS)
def test_very_many_elements(operator: str, dtype: str) -> None:
    assert fuzz(operator, dtype, ENOUGH, seed=2).wrong == 0
