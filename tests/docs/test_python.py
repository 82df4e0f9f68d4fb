"""Every example of docs/python.md, executed in its order, and checked by mypy as a user's program would be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kits.float_models import SHAPE, drawn, float_cnn
from kits.recipes import needs_tensorflow

pytestmark = [pytest.mark.slow, pytest.mark.train]


@pytest.fixture(scope="module")
def program(root: Path) -> str:
    """All examples of the page, one after the other."""
    blocks = re.findall(r"^```python\n(.*?)^```$", (root / "docs" / "python.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 4
    return "\n".join(blocks)


@needs_tensorflow
def test_examples_run(program: str, tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(float_cnn())
    np.savez(tmp_path / "data.npz", x=drawn(20, *SHAPE), labels=np.arange(20) % 3)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "0 mismatches: every output byte equals" in done.stdout
    assert "there is no board `nrf52841`" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} >= {"report.html", "report.xml", "outputs.npy"}


@needs_tensorflow
def test_the_readmes_example_runs(root: Path) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", (root / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=root, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr
    accuracy, *figures = map(float, done.stdout.split())
    assert accuracy >= 0.9
    assert all(figures)


def test_examples_are_typed(program: str, tmp_path: Path, root: Path) -> None:
    (tmp_path / "program.py").write_text(f"{program}\nreveal_type(model)\nreveal_type(built)\nreveal_type(report)\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--config-file",
            os.devnull,
            "--follow-imports=silent",
            "program.py",
        ],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(root / "toolchain")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert [name.rpartition(".")[2] for name in revealed] == ["QuantizedModel", "Built", "Report"], done.stdout
    assert done.returncode == 0, done.stdout
