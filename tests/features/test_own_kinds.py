"""imu, spectrum and image: the compiled C equals the numpy reference, and both stay near the definition in float."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kits.feature_kinds import CompiledKinds, signals
from tinyedge.arithmetic.whole_roots import integer_sqrt
from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.features.image import Image
from tinyedge.features.imu import Imu
from tinyedge.features.normalize import measure
from tinyedge.features.spectrum import Spectrum
from tinyedge.tables import TableError

ALL = ("mean", "std", "mean_difference", "rms", "min", "max", "crossings", "bands")
KINDS: dict[str, Features] = {
    "raw": Imu(rate_hz=50, axes=6, values=("raw",)),
    "motion": Imu(rate_hz=50, axes=3, values=ALL, window=50, stride=25, bands_hz=(0.5, 3, 10, 25)),
    "one": Imu(rate_hz=50, axes=2, values=ALL[:-1]),
    "long": Imu(rate_hz=1000, axes=1, values=ALL, window=2048, stride=512, bands_hz=(1, 50, 500), shape="rectangular"),
    "normal": Imu(
        rate_hz=50,
        axes=2,
        values=("mean", "rms"),
        window=9,
        stride=4,
        mean=(0.1, -0.2, 0.3, 0),
        deviation=(1, 0.01) * 2,
    ),
    "shake": Spectrum(rate_hz=1600, axes=3, window=256, stride=128, bands=16),
    "odd": Spectrum(rate_hz=200, axes=1, window=100, stride=100, bands=5, spacing="log", low_hz=4, remove_mean=False),
    "grey": Image(camera=(24, 31), size=(7, 9), crop=(2, 3, 20, 21)),
    "bytes": Image(camera=(12, 16), size=(12, 16), format="rgb", colors="rgb", levels="-1..1", resize="nearest"),
    "packed": Image(camera=(24, 32), size=(10, 40), format="rgb565", colors="rgb", resize="bilinear"),
    "little": Image(camera=(24, 32), size=(5, 5), format="rgb565_little"),
    "yuv": Image(camera=(16, 20), size=(5, 7), format="yuyv", colors="rgb", levels="0..255"),
    "uyv": Image(camera=(16, 20), size=(8, 10), format="uyvy", crop=(1, 1, 11, 13), resize="bilinear"),
}
LARGEST = {
    "raw": 0, "motion": 2, "one": 0.6, "long": 2, "shake": 7, "odd": 9, "grey": 0.8, "bytes": 0,
    "packed": 0.6, "little": 0.8, "yuv": 0.8, "uyv": 0.8,
}  # fmt: skip
"""difference from float, in steps of values; log2 of an energy counts 256, and of a weak one it is rounding alone"""
WEAK = 256 * 10
"""energies below 2^10 are left out of the comparison with float, and those 70 dB below the whole"""
SPAN = 256 * 23


@pytest.fixture(scope="module")
def compiled() -> CompiledKinds:
    return CompiledKinds(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_the_c_computes_what_the_reference_does(compiled: CompiledKinds, name: str) -> None:
    features = KINDS[name]
    instants = features.instants(2) + features.stride // 2
    for what, samples in signals(features, instants, 20 if instants < 3000 else 4):
        np.testing.assert_array_equal(compiled.values(name, samples), features.reference(samples), what)


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_over_a_thousand_signals(compiled: CompiledKinds, name: str) -> None:
    features = KINDS[name]
    count = 1000 if features.window < 2000 else 100
    for what, samples in signals(features, features.instants(1), count, seed=7):
        np.testing.assert_array_equal(compiled.values(name, samples), features.reference(samples), what)


@pytest.mark.parametrize("name", LARGEST)
def test_the_definition_in_float_is_near(name: str) -> None:
    features = KINDS[name]
    assert isinstance(features, (Imu, Spectrum, Image))
    worst = 0.0
    for _, samples in signals(features, features.instants(1), 20):
        values, exact = features.reference(samples).astype(np.float64), features.float_values(samples)
        difference = np.abs(values - exact)
        if isinstance(features, Spectrum) or "bands" in getattr(features, "values", ()):
            bands = slice(None) if isinstance(features, Spectrum) else slice(7 * features.axes, None)
            whole = 256 * np.log2(1 + np.sum(samples.astype(np.float64) ** 2) * features.window)
            difference[:, bands][exact[:, bands] < max(WEAK, whole - SPAN)] = 0
        worst = max(worst, float(difference.max()))
    assert worst <= LARGEST[name]


def test_whole_roots() -> None:
    roots = np.arange(0, 2**16, 257, dtype=np.int64)
    for near in (-1, 0, 1):
        squares = np.maximum(roots * roots + near, 0)
        found = integer_sqrt(squares)
        assert np.all((found * found <= squares) & ((found + 1) ** 2 > squares))


def test_a_normalization_measured_on_rows_gives_comparable_ones() -> None:
    plain = Imu(rate_hz=50, axes=2, values=("mean", "std"), window=20, stride=10)
    lot = np.random.default_rng(3)
    samples = np.rint(lot.normal(0, 900, (2000, 2)) + np.sin(np.arange(2000) / 99)[:, None] * 4000).astype(np.int16)
    mean, deviation = measure(plain.reference(samples), plain.unit)
    normal = dataclasses.replace(plain, mean=mean, deviation=deviation)
    values = normal.reference(samples) * normal.unit
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=0.02)


def test_recordings_become_samples() -> None:
    motion = Imu(rate_hz=50, axes=1, values=("raw",), counts=16384)
    assert motion.to_samples(np.array([[1.0], [-0.5], [9.0]])).tolist() == [[16384], [-8192], [32767]]
    picture = np.random.default_rng(1).random((12, 16, 3))
    for format in ("grey", "rgb", "rgb565", "rgb565_little", "yuyv", "uyvy"):
        camera = Image(camera=(12, 16), size=(12, 16), format=format, colors="rgb")
        samples = camera.to_samples(np.repeat(picture[:, ::2], 2, axis=1))
        assert samples.shape == (12 * 16, camera.axes)
        np.testing.assert_array_equal(camera.to_samples(samples), samples)
        levels = camera.reference(samples).reshape(12, 16, 3) / 255
        wanted = np.repeat(picture[:, ::2], 2, axis=1)
        if format == "grey":
            wanted = (wanted @ [0.299, 0.587, 0.114])[..., None]
        assert np.abs(levels - wanted).max() < (0.03 if "565" in format else 0.02)
    with pytest.raises(UsageError, match=r"pictures are \[10, 16, 3\]; the camera"):
        Image(camera=(12, 16), size=(6, 8)).to_samples(picture[:10])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "imu", "axes": 3}, "`rate_hz` is 0; it must be in [1"),
        ({"kind": "imu", "rate_hz": 50}, "`axes` is 0"),
        ({"kind": "imu", "rate_hz": 50, "axes": 3, "values": ["raw", "mean"]}, "`raw` stands alone"),
        ({"kind": "imu", "rate_hz": 50, "axes": 3, "values": ["men"]}, "did you mean `mean`"),
        ({"kind": "imu", "rate_hz": 50, "axes": 3, "window": 4, "stride": 5}, "`stride` is 5"),
        ({"kind": "imu", "rate_hz": 50, "axes": 3, "values": ["bands"], "window": 50}, "`bands_hz` goes with"),
        ({"kind": "imu", "rate_hz": 50, "axes": 1, "values": ["bands"], "window": 50, "bands_hz": [1, 30]}, "25 Hz"),
        ({"kind": "imu", "rate_hz": 50, "axes": 2, "mean": [0.1, 0.2], "deviation": [1, 0]}, "`deviation` holds 0"),
        ({"kind": "imu", "rate_hz": 50, "axes": 2, "mean": [0.1, 0.2], "deviation": [1, 1]}, "a row has 6"),
        ({"kind": "spectrum", "rate_hz": 100, "bands": 200}, "narrower than a bin of 0.391 Hz"),
        ({"kind": "spectrum", "rate_hz": 100, "window": 4096}, "`window` is 4,096 instants"),
        ({"kind": "spectrum", "rate_hz": 100, "low_hz": 30, "high_hz": 20}, "nothing between them"),
        ({"kind": "image", "camera": [10, 10]}, "`size` has 0 numbers"),
        ({"kind": "image", "camera": [10, 10], "size": [5, 5], "crop": [1, 1, 10, 5]}, "leaves the picture"),
        ({"kind": "image", "camera": [10, 9], "size": [5, 5], "format": "yuyv"}, "is 9 wide"),
        ({"kind": "image", "camera": [10, 9], "size": [5, 5], "format": "rgb56"}, "did you mean `rgb565`"),
    ],
)
def test_tables_that_make_no_sense(table: dict[str, object], words: str) -> None:
    with pytest.raises(TableError) as caught:
        read_features(table)
    assert words in str(caught.value)
