"""Converters that crash, hang and print, in the child alone; packages that are missing; settings that are wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from kits.float_models import SHAPE, FloatNet, float_cnn, write_data
from kits.models import small_convolution
from tinyedge.artifacts import Silence
from tinyedge.convert import DEFAULTS, Settings, convert
from tinyedge.convert.child import run_worker
from tinyedge.convert.contract import Brought
from tinyedge.data import Arrays
from tinyedge.errors import MissingToolError, ModelError, ToolError, UsageError

DATA = Arrays({"x": np.zeros((2, *SHAPE), np.float32)})


@dataclass
class Outside:
    """A front whose work is done by a program."""

    program: str
    title: str = "strange"
    packages: Sequence[tuple[str, str]] = ()

    def recognizes(self, path: Path, head: bytes) -> bool:
        return True

    def bring(self, path: Path, data: Arrays, settings: Settings, folder: Path) -> Brought:
        raise NotImplementedError

    def surroundings(self, path: Path, settings: Settings) -> str:
        return ""

    def outside(self, path: Path, settings: Settings, folder: Path) -> list[str]:
        return [sys.executable, "-c", self.program]


def run(program: str, tmp_path: Path, settings: Settings = DEFAULTS) -> None:
    run_worker(Outside(program), tmp_path / "m", "m", DATA, settings, tmp_path)


def test_a_converter_that_crashes_is_quoted(tmp_path: Path) -> None:
    program = "import os, sys; print('first'); print('last words', file=sys.stderr, flush=True); os.abort()"
    with pytest.raises(
        ToolError, match=r"(?s)the strange model: its process was ended by SIGABRT.*\| last words"
    ) as caught:
        run(program, tmp_path)
    assert "leave out half of its layers" in caught.value.hint


def test_a_converter_that_hangs_is_ended(tmp_path: Path) -> None:
    program = "import time; print('thinking', flush=True); time.sleep(60)"
    with pytest.raises(ToolError, match=r"(?s)did not end within 0.5 s and was killed.*\| thinking") as caught:
        run(program, tmp_path, Settings(timeout_s=0.5))
    assert caught.value.hint.startswith("`--timeout SECONDS` gives it more than 0.5 s")


def test_a_converter_that_ends_quietly_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="ended with exit code 3; it printed nothing"):
        run("raise SystemExit(3)", tmp_path)


def test_a_missing_package_is_named_with_the_way_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "ai-edge-quantizer":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    source = tmp_path / "m.tflite"
    source.write_bytes(float_cnn())
    with pytest.raises(MissingToolError, match="needs the Python package `ai-edge-quantizer`") as caught:
        convert(source, write_data(tmp_path / "d.npz"), DEFAULTS, Silence())
    assert "import" in caught.value.hint


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    source = tmp_path / "m.tflite"
    source.write_bytes(float_cnn())
    with pytest.raises(UsageError, match="there is no type `int7`"):
        convert(source, DATA, Settings(types="int7"), Silence())
    with pytest.raises(UsageError, match="is nothing that tinyedge converts"):
        convert(write_data(tmp_path / "d.npz"), DATA, DEFAULTS, Silence())
    with pytest.raises(UsageError, match="does not exist"):
        convert(tmp_path / "no.onnx", DATA, DEFAULTS, Silence())


def test_what_is_in_integers_or_damaged_is_told_apart(tmp_path: Path) -> None:
    source = tmp_path / "m.tflite"
    source.write_bytes(small_convolution())
    with pytest.raises(UsageError, match="is in integers already") as caught:
        convert(source, DATA, DEFAULTS, Silence())
    assert caught.value.hint == "`tinyedge run m.tflite` takes it as it is"
    source.write_bytes(float_cnn()[:500])
    with pytest.raises(ModelError) as damaged:
        convert(source, DATA, DEFAULTS, Silence())
    assert "damaged or cut short" in damaged.value.hint


@pytest.mark.slow
def test_a_source_without_an_answer_is_told(tmp_path: Path) -> None:
    source = tmp_path / "m.tflite"
    source.write_bytes(FloatNet((1, 4)).put("log", [], (1, 4)).build())
    data = Arrays({"x": np.array([[1, 2, 3, 4], [1, -2, 3, 4]], np.float32)})
    with pytest.raises(ModelError, match="answers 1 of 2 samples with values that are not finite, in output 0"):
        convert(source, data, DEFAULTS, Silence())


@pytest.mark.slow
def test_errors_of_the_child_arrive_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    source = tmp_path / "m.tflite"
    source.write_bytes(float_cnn())
    turned = write_data(tmp_path / "d.npz", shape=(2, 6, 6))
    with pytest.raises(UsageError, match=r"float32 \[30, 2, 6, 6\], input `.*` takes \[N, 6, 6, 2\]") as caught:
        convert(source, turned, DEFAULTS, Silence())
    assert "x.transpose(0, 2, 3, 1)" in caught.value.hint
    many = write_data(tmp_path / "e.npz", classes=7)
    with pytest.raises(ModelError, match="the model has 3 outputs, the data 7 classes"):
        convert(source, many, DEFAULTS, Silence())
