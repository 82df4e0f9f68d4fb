"""The first moments of a call: help without a command, and a Ctrl-C while modules are still being imported."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kits.cli import tinyedge


def test_alone_it_prints_help(tmp_path: Path) -> None:
    alone, asked = tinyedge(cwd=tmp_path), tinyedge("--help", cwd=tmp_path)
    assert alone == asked
    assert (alone.code, alone.stderr) == (0, "")
    assert "run " in alone.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send to oneself")
@pytest.mark.parametrize("module", ["click", "numpy", "msgspec", "tinyedge.errors"])
def test_a_ctrl_c_in_an_import_ends_quietly(tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        f"""\
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
    )
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    outcome = tinyedge("boards", cwd=tmp_path, env={"PYTHONPATH": path})
    assert outcome.code == 130
    assert outcome.stdout == ""
    assert outcome.stderr.lstrip().startswith("error: interrupted")
    assert "Traceback" not in outcome.stderr
