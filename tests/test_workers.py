"""Tests that share what takes long to make stand in groups: one worker has the whole group."""

from __future__ import annotations

import os

import pytest


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="runs in one process: `pytest -n 2`")
@pytest.mark.xdist_group("workers")
def test_groups_are_told_to_the_scheduler(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@workers")
