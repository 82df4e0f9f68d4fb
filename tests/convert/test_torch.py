"""PyTorch: the Python that has it, found, missing or broken; and real models where TINYEDGE_TORCH_PYTHON names one."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kits.float_models import drawn, float_cnn
from tinyedge import process
from tinyedge.artifacts import Silence
from tinyedge.convert import DEFAULTS, Settings, convert, front_of
from tinyedge.convert.torch import VARIABLE, find_python, is_script, torch_versions
from tinyedge.errors import MissingToolError, TinyEdgeError, ToolError, UsageError
from tinyedge.graph.reader import read_model
from tinyedge.optimize import optimize_graph, settle_graph

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fake programs are shell scripts")
SCRIPT = "def build():\n    return None\n"


def fake_python(folder: Path, body: str) -> str:
    """A program that stands for another Python: shell code with the words `$@`."""
    path = folder / "fake-python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(SCRIPT)
    return tmp_path / "net.py:build"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    np.savez(tmp_path / "d.npz", x=drawn(20, 2, 6, 6))
    return tmp_path / "d.npz"


def test_scripts_and_programs_are_told(script: Path, tmp_path: Path) -> None:
    assert is_script(script)
    assert not is_script(tmp_path / "net.py")
    assert not is_script(tmp_path / "other.py:build")
    assert front_of(script).title == "PyTorch"
    with zipfile.ZipFile(tmp_path / "any.bin", "w") as archive:
        archive.writestr("any/archive_format", "pt2")
    assert front_of(tmp_path / "any.bin").title == "PyTorch"


def test_no_python_was_named(script: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(MissingToolError, match="converted by litert-torch, in a Python of its own") as caught:
        convert(script, data, DEFAULTS, Silence())
    assert "pip install litert-torch" in caught.value.hint
    assert VARIABLE in caught.value.hint


def test_a_python_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/no/such/python")
    with pytest.raises(MissingToolError, match="there is no Python `/no/such/python`"):
        find_python(None)
    assert find_python(sys.executable) == sys.executable


def test_a_python_without_litert_torch(script: Path, data: Path, tmp_path: Path) -> None:
    absent = (
        'echo "importlib.metadata.PackageNotFoundError: No package metadata was found for litert-torch" >&2; exit 1'
    )
    with pytest.raises(MissingToolError, match="has no package `litert-torch`"):
        torch_versions(fake_python(tmp_path, absent))
    if process.run([sys.executable, "-c", "import torch"], timeout_s=60, check=False).returncode:
        with pytest.raises(MissingToolError, match="has no package `torch`") as caught:
            convert(script, data, Settings(python=sys.executable), Silence())
        assert "torch-env" in caught.value.hint


def test_a_converter_that_dies_is_quoted(script: Path, data: Path, tmp_path: Path) -> None:
    python = fake_python(tmp_path, "echo 'Fatal: out of luck' >&2; kill -SEGV $$")
    with pytest.raises(
        ToolError, match=r"(?s)converting the PyTorch model: its process was ended by SIGSEGV.*out of luck"
    ):
        convert(script, data, Settings(python=python), Silence())


@pytest.mark.slow
def test_what_another_python_made_is_quantized(script: Path, data: Path, tmp_path: Path) -> None:
    (tmp_path / "made.tflite").write_bytes(float_cnn())
    helper = tmp_path / "helper.py"
    helper.write_text(
        "import sys, shutil, numpy as np\n"
        "from pathlib import Path\n"
        "from tinyedge.convert.interpret import run_all\n"
        "folder = Path(sys.argv[1])\n"
        f"tflite = Path({str(tmp_path / 'made.tflite')!r}).read_bytes()\n"
        "x = np.load(folder / 'arrays.npz')['x_0'].transpose(0, 2, 3, 1)\n"
        "(folder / 'torch.tflite').write_bytes(tflite)\n"
        "np.savez(folder / 'torch.npz', input_0=x, output_0=run_all(tflite, [x])[0])\n"
    )
    python = fake_python(tmp_path, f'exec {sys.executable} {helper} "$4"')
    conversion = convert(script, data, Settings(python=python), Silence())
    assert (conversion.source, conversion.model.name) == ("PyTorch", "net_build")
    assert conversion.agreement == 1.0
    assert conversion.model.samples is not None
    assert conversion.model.samples[0].shape == (20, 1, 6, 6, 2)


MODELS = """
import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1, stride=2)
        self.c = nn.Linear(64, 10)
    def forward(self, x):
        x = torch.relu(self.b(torch.max_pool2d(torch.relu(self.a(x)), 2)))
        return torch.softmax(self.c(torch.flatten(x, 1)), 1)
def build():
    torch.manual_seed(0)
    return Net()
def nothing():
    return 3
if __name__ == "__main__":
    torch.export.save(torch.export.export(build().eval(), (torch.zeros(1, 1, 8, 8),)), "net.pt2")
    torch.save(build(), "net.pt")
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"set {VARIABLE} to a Python with litert-torch")
def test_real_models(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MODELS)
    process.run([find_python(None), "net.py"], timeout_s=120, cwd=tmp_path)
    np.savez(tmp_path / "d.npz", x=drawn(20, 1, 8, 8))
    found = [convert(tmp_path / name, tmp_path / "d.npz", DEFAULTS, Silence()) for name in ("net.pt2", "net.py:build")]
    assert found[0].largest_difference <= 0.02
    graph = optimize_graph(settle_graph(read_model(found[0].model.tflite, "m")))
    assert not {"transpose", "pad", "depthwise_conv_2d"} & {operator.name for operator in graph.operators}
    np.savez(tmp_path / "e.npz", x=drawn(20, 8, 8, 1))
    with pytest.raises(UsageError, match="the model cannot take the data"):
        convert(tmp_path / "net.pt2", tmp_path / "e.npz", DEFAULTS, Silence())
    with pytest.raises(UsageError, match="`nothing` returned a int"):
        convert(tmp_path / "net.py:nothing", tmp_path / "d.npz", DEFAULTS, Silence())
    whole = (tmp_path / "net.pt2").read_bytes()
    (tmp_path / "cut.pt2").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TinyEdgeError):
        convert(tmp_path / "cut.pt2", tmp_path / "d.npz", DEFAULTS, Silence())
