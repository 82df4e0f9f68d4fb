"""What each augmentation technique does to samples, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyedge.errors import UsageError
from tinyedge.new.keyword import wav
from tinyedge.tables import TableError
from tinyedge.train.augment import AUGMENTATIONS
from tinyedge.train.augment.contract import Augmentation
from tinyedge.train.augment.crop import Crop
from tinyedge.train.augment.flip import Flip
from tinyedge.train.augment.gain import Gain
from tinyedge.train.augment.noise import Noise
from tinyedge.train.augment.noise_mix import NoiseMix
from tinyedge.train.augment.rotate_axes import RotateAxes
from tinyedge.train.augment.shift import Shift
from tinyedge.train.augment.spec_augment import SpecAugment
from tinyedge.train.augment.tilt import Tilt
from tinyedge.train.augment.time_stretch import TimeStretch
from tinyedge.train.recipe import read_recipe_table
from tinyedge.train.store import training_digest

EACH: dict[str, Augmentation] = {
    "crop": Crop(),
    "flip": Flip(),
    "gain": Gain(),
    "noise": Noise(0.1),
    "noise_mix": NoiseMix(),
    "rotate_axes": RotateAxes(0.2),
    "shift": Shift(2, axes=(0, 1)),
    "spec_augment": SpecAugment(frames=3, frequencies=2),
    "tilt": Tilt(),
    "time_stretch": TimeStretch(),
}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_technique_is_tried_here() -> None:
    assert set(EACH) == set(AUGMENTATIONS)


@pytest.mark.parametrize("technique", EACH.values(), ids=EACH)
def test_a_technique_changes_samples_anew_and_leaves_those_it_was_given(technique: Augmentation) -> None:
    samples = rng(1).normal(0, 1, (12, 10, 8, 3)).astype(np.float32)
    before = samples.copy()
    technique.check(samples.shape[1:])
    first, again, other = (technique.apply(samples, rng(seed)) for seed in (2, 2, 3))
    np.testing.assert_array_equal(samples, before)
    np.testing.assert_array_equal(first, again)
    assert (first.shape, first.dtype) == (samples.shape, np.float32)
    assert np.isfinite(first).all()
    assert (first != samples).any()
    assert (first != other).any()


def test_a_shift_moves_whole_samples_and_fills_what_comes_in() -> None:
    samples = np.arange(1, 6, dtype=np.float32).reshape(1, 5, 1).repeat(200, 0)
    moved = Shift(2, fill=-1).apply(samples, rng())[:, :, 0]
    wanted = {(3, 4, 5, -1, -1), (2, 3, 4, 5, -1), (1, 2, 3, 4, 5), (-1, 1, 2, 3, 4), (-1, -1, 1, 2, 3)}
    assert {tuple(row) for row in moved.tolist()} == wanted


def test_a_flip_mirrors_its_share() -> None:
    samples = rng().normal(0, 1, (400, 2, 3)).astype(np.float32)
    flipped = Flip(axis=1, share=0.25).apply(samples, rng())
    mirrored = (flipped == samples[:, :, ::-1]).all(axis=(1, 2))
    assert ((flipped == samples).all(axis=(1, 2)) | mirrored).all()
    assert 60 < mirrored.sum() < 140


def test_a_crop_keeps_within_what_it_was_given() -> None:
    ramp = np.broadcast_to(np.arange(20, dtype=np.float32)[:, None], (50, 20, 20))
    cropped = Crop(smallest=0.5).apply(ramp, rng())
    steps = np.diff(cropped, axis=1)
    assert cropped.min() >= 0
    assert cropped.max() <= 19
    assert steps.min() >= 0.5 - 1e-4
    assert steps.max() <= 1 + 1e-4
    np.testing.assert_allclose(steps[:, 1:], steps[:, :-1], atol=1e-4)


def test_a_stretched_tone_has_another_pitch_and_its_rates_grow() -> None:
    time = np.arange(400) / 400
    tone = np.sin(2 * np.pi * 20 * time).astype(np.float32)
    samples = np.stack([tone, np.ones(400, np.float32)], axis=-1)[None].repeat(30, 0)
    fast = TimeStretch(slowest=2.0, fastest=2.0, rates=(1,)).apply(samples, rng())
    assert np.abs(np.fft.rfft(fast[0, :, 0])).argmax() == 40
    inside = fast[:, 150:250, 1]
    np.testing.assert_allclose(inside, 2.0)
    assert (fast[:, :90] == 0).all()
    slow = TimeStretch(slowest=0.5, fastest=0.5).apply(samples, rng())
    assert {int(np.abs(np.fft.rfft(row[:, 0])).argmax()) for row in slow} == {10}
    assert (slow[:, :, 1] == 1).all()


def test_a_share_of_the_samples_keeps_its_speed() -> None:
    samples = rng().normal(0, 1, (200, 30)).astype(np.float32)
    kept = (np.abs(TimeStretch(0.5, 0.8, share=0.5).apply(samples, rng()) - samples) < 1e-5).all(axis=1)
    assert 70 < kept.sum() < 130


@pytest.mark.parametrize("brown", [0.0, 1.0])
def test_noise_is_mixed_in_at_the_ratio_that_is_asked_for(brown: float) -> None:
    samples = rng().normal(0, 3, (40, 4000)).astype(np.float32)
    noise = NoiseMix(20, 20, brown=brown).apply(samples, rng()) - samples
    ratios = 10 * np.log10(np.mean(samples**2, axis=1) / np.mean(noise**2, axis=1))
    np.testing.assert_allclose(ratios, 20, atol=0.3)
    power = np.abs(np.fft.rfft(noise, axis=1)) ** 2
    low_share = power[:, :200].sum() / power.sum()
    assert (low_share > 0.8) if brown else (0.05 < low_share < 0.2)


def tones(folder: Path, periods: tuple[int, ...] = (8, 20), rate_hz: int = 8000, length: int = 1000) -> Path:
    """A recording of noise for each period, in samples: a tone."""
    folder.mkdir(parents=True, exist_ok=True)
    for period in periods:
        (folder / f"{period}.wav").write_bytes(wav(np.sin(2 * np.pi * np.arange(length) / period) / 4, rate_hz))
    return folder


@pytest.mark.parametrize("length", [400, 3000])
@pytest.mark.parametrize("axes", [(), (2,)])
def test_recorded_noise_is_mixed_in_from_every_recording(tmp_path: Path, length: int, axes: tuple[int, ...]) -> None:
    samples = rng().normal(0, 3, (60, length, *axes)).astype(np.float32)
    mixed = NoiseMix(20, 20, source=str(tones(tmp_path / "noise")), rate_hz=8000)
    mixed.check(samples.shape[1:])
    noise = mixed.apply(samples, rng()) - samples
    inner = tuple(range(1, samples.ndim))
    ratios = 10 * np.log10(np.mean(samples**2, axis=inner) / np.mean(noise**2, axis=inner))
    np.testing.assert_allclose(ratios, 20, atol=0.3)
    one = noise if not axes else noise[..., 0]
    heard = np.abs(np.fft.rfft(one[:, :400], axis=1)).argmax(axis=1)
    assert set(heard.tolist()) == {50, 20}  # whole periods in 400 samples: only tones, nothing that was drawn
    starts = {round(float(row[0] / np.abs(row).max()), 1) for row in one}
    assert len(starts) > 5  # of pieces from many places
    if axes:
        np.testing.assert_allclose(noise[..., 0], noise[..., 1], atol=1e-5)


def test_noise_that_cannot_be_mixed_in_is_refused(tmp_path: Path) -> None:
    fast = tones(tmp_path / "fast", rate_hz=16_000)
    with pytest.raises(UsageError, match="has 16,000 samples a second, not 8,000"):
        NoiseMix(source=str(fast), rate_hz=8000).check((400,))
    with pytest.raises(UsageError, match="there is no data"):
        NoiseMix(source=str(tmp_path / "none"), rate_hz=8000).check((400,))
    (tmp_path / "silent").mkdir()
    (tmp_path / "silent" / "a.wav").write_bytes(wav(np.zeros(100), 8000))
    with pytest.raises(UsageError, match=r"a\.wav` is silent"):
        NoiseMix(source=str(tmp_path / "silent"), rate_hz=8000).check((400,))
    with pytest.raises(ValueError, match=r"no noise for a sample \[28, 28, 1\]"):
        NoiseMix(source=str(tones(tmp_path / "noise")), rate_hz=8000).check((28, 28, 1))


def test_another_recording_of_noise_is_another_training(tmp_path: Path) -> None:
    table = {"fit": {"epochs": 1}, "augment": [{"technique": "noise_mix", "source": "noise", "rate_hz": 8000.0}]}
    tones(tmp_path / "noise")
    digests = [training_digest(recipe := read_recipe_table(table, tmp_path))]
    assert recipe.noise_sources == (tmp_path / "noise",)
    tones(tmp_path / "noise", (9,))
    digests.append(training_digest(recipe))
    tones(tmp_path / "noise", (9,), length=2000)
    digests.append(training_digest(recipe))
    assert len(set(digests)) == 3
    features = {"kind": "log_mel"}  # of 16,000
    with pytest.raises(TableError, match=r"`augment\[1\]\.rate_hz` is 8000; the features `log_mel` are of 16,000"):
        read_recipe_table(table | {"features": features}, tmp_path)


def test_vectors_keep_their_length_and_turn_alike() -> None:
    samples = rng().normal(0, 1, (20, 15, 6)).astype(np.float32)
    samples[:, :, 3:] = samples[:, :, :3]
    turned = RotateAxes(0.4, vectors=(0, 3)).apply(samples, rng())
    np.testing.assert_allclose(turned[..., :3], turned[..., 3:], atol=1e-6)
    np.testing.assert_allclose(
        np.linalg.norm(turned[..., :3], axis=-1), np.linalg.norm(samples[..., :3], axis=-1), rtol=1e-4
    )
    one = RotateAxes(0.4, vectors=(3,)).apply(samples, rng())
    np.testing.assert_array_equal(one[..., :3], samples[..., :3])


def test_spec_augment_covers_one_band_of_each_axis() -> None:
    covered = SpecAugment(frames=4, frequencies=3, fill=9).apply(np.zeros((300, 12, 10, 1), np.float32), rng())[..., 0]
    rows, columns = (covered == 9).all(axis=2).sum(axis=1), (covered == 9).all(axis=1).sum(axis=1)
    assert set(rows.tolist()) == {0, 1, 2, 3, 4}
    assert set(columns.tolist()) == {0, 1, 2, 3}
    np.testing.assert_array_equal((covered == 9).sum(axis=(1, 2)), rows * 10 + columns * 12 - rows * columns)


def test_gain_and_tilt_change_what_they_name_alone() -> None:
    samples = np.ones((10, 5, 4), np.float32)
    louder = Gain(2, 3, channels=(1,)).apply(samples, rng())
    assert (louder[..., [0, 2, 3]] == 1).all()
    assert ((louder[..., 1] >= 2) & (louder[..., 1] <= 3)).all()
    tilted = Tilt(0.5).apply(samples, rng()) - samples
    np.testing.assert_allclose(tilted[:, :, 0], -tilted[:, :, 3], atol=1e-6)
    np.testing.assert_allclose(tilted.sum(axis=2), 0, atol=1e-5)


@pytest.mark.parametrize(
    ("technique", "shape", "said"),
    [
        (Shift(2, axes=(2,)), (10, 8), "axis 2 is none of a sample .10, 8."),
        (Shift(10), (10, 8), "`most` is 10, axis 0 of a sample .10, 8. has 10 places"),
        (Flip(), (10,), "axis 1 is none"),
        (RotateAxes(0.1, vectors=(3,)), (10, 5), "channel 5 is none"),
        (Gain(channels=(7,)), (10, 5), "channel 7 is none"),
        (TimeStretch(rates=(9,)), (10, 5), "channel 9 is none"),
        (SpecAugment(), (5, 40), "bands of 10 frames and 6 frequencies do not fit into .5, 40."),
        (Tilt(), (5,), "has no axis of frequencies"),
    ],
)
def test_a_technique_that_does_not_fit_says_so(technique: Augmentation, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        technique.check(shape)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Shift, {"most": 0}),
        (Flip, {"share": 0}),
        (Crop, {"smallest": 1}),
        (TimeStretch, {"slowest": 1.2, "fastest": 0.8}),
        (Noise, {"deviation": 0}),
        (NoiseMix, {"lowest_db": 40, "highest_db": 8}),
        (NoiseMix, {"source": "noise"}),
        (Gain, {"lowest": 2, "highest": 1}),
        (RotateAxes, {"deviation_rad": 0}),
        (SpecAugment, {"frames": -1}),
        (Tilt, {"deviation": 0}),
    ],
)
def test_settings_out_of_range_are_refused(kind: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="it must be"):
        kind(**settings)
