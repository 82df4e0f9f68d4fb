"""Recordings read as samples: what does not fit the features is refused with both numbers."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from kits.listening import write_wav
from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.features.image import Image
from tinyedge.features.imu import Imu
from tinyedge.features.spectrum import Spectrum
from tinyedge.jobs.recording import read_recording

MOTION = Imu(rate_hz=50, axes=2, values=("mean",), window=10, stride=5, counts=1000)
SOUND = Spectrum(rate_hz=8000, counts=32768, window=64, stride=64, bands=4)


def test_sound_is_read_as_it_is(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(-(2**15), 2**15, 500).astype(np.int16)
    write_wav(tmp_path / "a.wav", samples, 8000)
    np.testing.assert_array_equal(read_recording(tmp_path / "a.wav", SOUND)[0], samples[:, None])


@pytest.mark.parametrize("head", ["", "ax,ay\n", "timestamp,ax,ay\n"])
def test_axes_become_counts(tmp_path: Path, head: str) -> None:
    path = tmp_path / "a.csv"
    time = "{t}," if head.startswith("time") else ""
    path.write_text(head + "".join(f"{time}{n / 10},-{n}\n".format(t=20 * n) for n in range(40)))
    found, notes = read_recording(path, MOTION)
    assert notes == ()
    assert found.dtype == np.int16
    assert found[:3].tolist() == [[0, 0], [100, -1000], [200, -2000]]
    assert found[-1].tolist() == [3900, -32768]


def _lines(count: int, step_ms: int = 20, axes: int = 2) -> str:
    rows = (f"{step_ms * n}," + ",".join(str(n + axis) for axis in range(axes)) for n in range(count))
    return f"timestamp,{','.join(f'a{axis}' for axis in range(axes))}\n" + "\n".join(rows) + "\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (_lines(40, step_ms=10), "has 100 rows a second by its column `timestamp`, not 50"),
        (_lines(40, axes=3), "has 3 axes; the features `imu` take 2"),
        (_lines(9), "has 9 samples; a window of the features `imu` has 10"),
        (_lines(20) + "400,x,1\n", "line 22"),
        (_lines(20) + "400,1\n", "line 22"),
        ("a,b\n", "has a header and no row"),
        ("", "is empty"),
    ],
)
def test_motion_that_does_not_fit(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        read_recording(path, MOTION)
    assert words in str(caught.value)


def test_missing_rows_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(_lines(40).replace("200,10,11\n220,11,12\n240,12,13\n", ""))
    samples, notes = read_recording(path, MOTION)
    assert len(samples) == 37
    assert "rows are missing" in notes[0]


def test_another_unit_than_the_features_expect(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.full(500, 900, np.int16), 8000)
    with pytest.raises(UsageError, match="samples of one count at most: the features `spectrum` take 1 counts for 1"):
        read_recording(tmp_path / "a.wav", Spectrum(rate_hz=8000, window=64, stride=64, bands=4))
    write_wav(tmp_path / "silent.wav", np.zeros(500, np.int16), 8000)
    assert not read_recording(tmp_path / "silent.wav", SOUND)[0].any()


def _wave(path: Path, channels: int, width: int, rate: int) -> None:
    with wave.open(str(path), "wb") as opened:
        opened.setnchannels(channels)
        opened.setsampwidth(width)
        opened.setframerate(rate)
        opened.writeframes(bytes(channels * width * 100))


@pytest.mark.parametrize(
    ("channels", "width", "rate", "words"),
    [
        (1, 2, 16000, "has 16,000 samples a second, not 8,000"),
        (2, 2, 8000, "has 2 channels; the features `spectrum` take 1"),
    ],
)
def test_sound_that_does_not_fit(tmp_path: Path, channels: int, width: int, rate: int, words: str) -> None:
    _wave(tmp_path / "a.wav", channels, width, rate)
    with pytest.raises(UsageError) as caught:
        read_recording(tmp_path / "a.wav", SOUND)
    assert words in str(caught.value)
    assert caught.value.hint is not None
    assert "sox" in caught.value.hint


def test_what_is_no_recording(tmp_path: Path) -> None:
    _wave(tmp_path / "cut.wav", 1, 2, 8000)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "cut.wav").read_bytes()[:30])
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    picture: Features = Image(camera=(4, 4), size=(2, 2))
    cases = [
        ("cut.wav", SOUND, "is no readable .wav"),
        ("text.wav", SOUND, "is no readable .wav"),
        ("a.mp3", SOUND, "is no recording"),
        ("none.wav", SOUND, "is not there"),
        (".", SOUND, "is not a file"),
        ("text.wav", picture, "take pictures, not a signal in time"),
    ]
    for name, features, words in cases:
        with pytest.raises(UsageError) as caught:
            read_recording(tmp_path / name, features)
        assert words in str(caught.value)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("odd", ["nan", "inf"])
def test_floats_that_are_no_numbers(bits: int, odd: str, tmp_path: Path) -> None:
    values = np.zeros(600, f"<f{bits // 8}")
    values[420] = float(odd)
    form = struct.pack("<HHIIHH", 3, 1, 16_000, 16_000 * bits // 8, bits // 8, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", values.nbytes)
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + values.nbytes) + body + values.tobytes())
    with pytest.raises(UsageError, match=f"sample 420 is {odd}"):
        read_recording(path, read_features({"kind": "microfrontend"}))
