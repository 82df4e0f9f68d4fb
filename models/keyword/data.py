"""Ten spoken digits, one second each: the speaker of the test is in no other split.

A folder has recordings as {digit}_{speaker}_{take}.wav (the layout of the Free Spoken Digit Dataset), or a folder for
each word as Speech Commands has. Without one, synthetic voices of espeak-ng speak, and every report says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge.data import DataTable, load_recordings
from tinyedge.data.speech_commands import which_set
from tinyedge.errors import UsageError
from tinyedge.train.source import made_up
from tinyedge.train.splits import Splits

Floats = npt.NDArray[np.float32]

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE_HZ = 8_000
_LAYOUT = "name files {digit}_{speaker}_{take}.wav, or make a folder for each word, as Speech Commands has"


@dataclass(frozen=True, eq=False)
class Clip:
    """A spoken digit: samples float32 [time] at RATE_HZ."""

    samples: Floats
    digit: int
    speaker: str


def load(folder: str, test_speaker: int) -> Splits:
    """Clips of one second, each by its middle in the window, as loud as they were recorded.

    folder        recordings; empty: synthetic voices
    test_speaker  place of the speaker of the test among all, sorted by name. Speech Commands has a split of its own
    """
    if folder:
        clips = list(_read_folder(Path(folder)))
    else:
        from voices import speak  # beside this file

        clips = [Clip(_at_our_rate(samples, rate), digit, speaker) for samples, rate, digit, speaker in speak(DIGITS)]
    speakers = sorted({clip.speaker for clip in clips})
    if folder and _is_speech_commands(Path(folder)):
        asked = {speaker for speaker in speakers if which_set(speaker) == "test"}
    else:
        if not 0 <= test_speaker < len(speakers) or len(speakers) < 2:
            raise UsageError(
                f"`test_speaker` is {test_speaker}; there are {len(speakers)} speakers, "
                f"{', '.join(speakers[:8])}{', ...' if len(speakers) > 8 else ''}",
                hint="count from 0, in the order of their names; two speakers at least",
            )
        asked = {speakers[test_speaker]}
    train = [clip for clip in clips if clip.speaker not in asked]
    test = [clip for clip in clips if clip.speaker in asked]
    signals = [np.stack([_placed(clip.samples) for clip in part]) for part in (train, test)]
    return Splits(
        signals[0],
        np.array([clip.digit for clip in train]),
        signals[1],
        np.array([clip.digit for clip in test]),
        class_names=DIGITS,
        train_groups=np.array([clip.speaker for clip in train]),
        test_groups=np.array([clip.speaker for clip in test]),
        made_up=made_up(Path(folder)) if folder else "synthetic voices of espeak-ng",
    )


def _placed(samples: Floats) -> Floats:
    """A window of one second with the clip's middle in its own; what reaches beyond it is cut off."""
    window = np.zeros(RATE_HZ, np.float32)
    start = (RATE_HZ - len(samples)) // 2
    part = samples[max(-start, 0) : max(-start, 0) + RATE_HZ]
    window[max(start, 0) : max(start, 0) + len(part)] = part
    return window


def _read_folder(folder: Path) -> Iterator[Clip]:
    """The clips of a folder of either layout, in the order of their names. Raises: UsageError."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder `{folder}` with recordings", hint=f"name it by `--data`; {_LAYOUT}")
    words = DIGITS if _is_speech_commands(folder) else ()
    found = load_recordings(DataTable(source=folder, mono=True, classes=words))
    if found.rate_hz is None or found.rate_hz < RATE_HZ or not found.groups or found.labels is None:
        raise UsageError(
            f"the recordings of `{folder}` name no speakers, or have less than {RATE_HZ:,} Hz", hint=_LAYOUT
        )
    (sounds,) = found.inputs.values()
    for sound, label, speaker in zip(sounds, found.labels, found.groups, strict=True):
        name = found.class_names[int(label)]
        digit = DIGITS.index(name) if name in DIGITS else int(name)
        yield Clip(_at_our_rate(np.asarray(sound), round(found.rate_hz)), digit, speaker.removeprefix("speaker "))


def _is_speech_commands(folder: Path) -> bool:
    return all((folder / word).is_dir() for word in DIGITS)


def _at_our_rate(samples: Floats, rate: int) -> Floats:
    if rate == RATE_HZ:
        return samples
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, RATE_HZ, rate), np.float32)
