"""A collection from a source that plays a script on a clock of its own: rates, holes, ends, and the files left."""

from __future__ import annotations

import wave
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from tinyedge.artifacts import Silence
from tinyedge.collect import BrokenCollectError, Collected, CollectSettings, collect, look
from tinyedge.collect.files import RecordingFile
from tinyedge.collect.frames import encode_frame
from tinyedge.errors import CheckError, DeviceError, Interrupted, UsageError


class Script:
    """A source and its clock: pieces with the seconds that pass before each; at the end it falls silent or breaks."""

    def __init__(self, pieces: Iterable[tuple[float, bytes]], end: BaseException | None = None) -> None:
        self._pieces = list(pieces)
        self._end = end
        self.now_s = 100.0

    def clock(self) -> float:
        return self.now_s

    def read(self, timeout_s: float) -> bytes:
        if self._pieces:
            wait_s, piece = self._pieces.pop(0)
            self.now_s += wait_s
            return piece
        if self._end is not None:
            raise self._end
        self.now_s += timeout_s
        return b""


def text(count: int, hz: float = 50, start: int = 0) -> list[tuple[float, bytes]]:
    return [(1 / hz, f"{n},{n * 2},{n % 5}\n".encode()) for n in range(start, start + count)]


def frames(count: int, rows: int = 160, hz: float = 16_000, start: int = 0) -> list[tuple[float, bytes]]:
    return [
        (rows / hz, encode_frame(n & 65_535, [((n * rows + i) % 1000,) for i in range(rows)]))
        for n in range(start, start + count)
    ]


@pytest.fixture
def imu(tmp_path: Path) -> CollectSettings:
    return CollectSettings("imu", "wave", tmp_path / "data", seconds=1.0)


@pytest.fixture
def audio(tmp_path: Path) -> CollectSettings:
    return CollectSettings("audio", "yes", tmp_path / "data", seconds=0.5, rate_hz=16_000)


def run(script: Script, settings: CollectSettings) -> Collected:
    return collect(script, settings, Silence(), script.clock)


def broken(script: Script, settings: CollectSettings) -> BrokenCollectError:
    with pytest.raises(BrokenCollectError) as caught:
        run(script, settings)
    return caught.value


def files(settings: CollectSettings) -> list[str]:
    return sorted(str(path.relative_to(settings.folder)) for path in settings.folder.rglob("*") if path.is_file())


def first_column(path: Path) -> list[int]:
    return [int(line.split(",")[1]) for line in path.read_text().splitlines()[1:]]


def samples(path: Path) -> list[int]:
    with wave.open(str(path), "rb") as opened:
        assert (opened.getnchannels(), opened.getsampwidth()) == (1, 2)
        content = opened.readframes(opened.getnframes())
        assert len(content) == 2 * opened.getnframes()
    return [int.from_bytes(content[at : at + 2], "little", signed=True) for at in range(0, len(content), 2)]


def test_recordings_follow_each_other_and_nothing_of_the_look_is_lost(imu: CollectSettings) -> None:
    collected = run(Script(text(300)), replace(imu, count=3, axis_names=("x", "y", "z")))
    paths = [imu.folder / "wave" / f"wave.000{n}.csv" for n in (1, 2, 3)]
    assert [each.path for each in collected.recordings] == paths
    assert [value for path in paths for value in first_column(path)] == list(range(1, 151))  # 0 may have been cut
    assert paths[0].read_text().startswith("timestamp,x,y,z\n0.000,1,2,1\n20.000,2,4,2\n")
    assert collected.rate_hz == 50
    assert collected.rate_from == "arrival"
    assert len(files(imu)) == 3


def test_later_recordings_take_names_that_are_free(imu: CollectSettings) -> None:
    run(Script(text(100)), imu)
    first = (imu.folder / "wave" / "wave.0001.csv").read_bytes()
    assert run(Script(text(100)), imu).recordings[0].path.name == "wave.0002.csv"
    assert (imu.folder / "wave" / "wave.0001.csv").read_bytes() == first


def test_sound(audio: CollectSettings) -> None:
    collected = run(Script(frames(300)), replace(audio, count=2))
    heard = [value for each in collected.recordings for value in samples(each.path)]
    assert heard == [n % 1000 for n in range(16_000)]
    assert collected.format == "frames"


@pytest.mark.parametrize("hz", [40, 53])
def test_a_rate_that_strays_is_refused_before_anything_is_written(imu: CollectSettings, hz: int) -> None:
    with pytest.raises(CheckError, match=rf"sends {hz} samples a second .by arrival., not 50: .* nothing was recorded"):
        run(Script(text(300, hz)), replace(imu, rate_hz=50))
    assert files(imu) == []


def test_a_recording_whose_rate_strays_is_left_out(imu: CollectSettings) -> None:
    script = Script([*text(250), *text(300, 70, 250)])
    with pytest.raises(CheckError, match=r"that recording is left out; 200 samples are kept, 2 files"):
        run(script, replace(imu, seconds=2.0, count=5, rate_hz=50))
    assert files(imu) == ["wave/wave.0001.csv", "wave/wave.0002.csv"]


def test_a_hole_ends_a_recording(audio: CollectSettings) -> None:
    script = Script([*frames(130), *frames(200, start=133)])
    collected = run(script, replace(audio, count=3))
    assert collected.lost == 3 * 160
    assert [each.complete for each in collected.recordings] == [True, True, False, True]
    heard = [value for each in collected.recordings for value in samples(each.path)]
    assert heard == [n % 1000 for n in [*range(130 * 160), *range(133 * 160, 133 * 160 + 8_000)]]


def test_a_line_that_loses_too_much_is_given_up(audio: CollectSettings) -> None:
    pieces = [piece for n in range(0, 400, 3) for piece in [*frames(2, start=n), (0.01, b"")]]
    error = broken(Script(pieces), audio)
    assert "loses samples too often: 20 recordings" in error.error.what
    assert len(error.partial.recordings) == 20


@pytest.mark.parametrize(
    ("end", "kind", "words"),
    [
        (DeviceError("lost the connection to `/dev/x`"), DeviceError, "lost the connection"),
        (KeyboardInterrupt(), Interrupted, "interrupted; "),
        (None, DeviceError, "no sample came in 5 s"),
    ],
)
def test_what_was_received_before_the_end_is_kept(
    audio: CollectSettings, end: BaseException | None, kind: type, words: str
) -> None:
    last = encode_frame(120, [(1,)])[:-3]  # cut with the cable
    error = broken(Script([*frames(120), (0.0, last)], end), replace(audio, count=9))
    assert isinstance(error.error, kind)
    assert words in error.error.what
    assert "19,200 samples are kept, 3 files in" in error.error.what
    assert [each.complete for each in error.partial.recordings] == [True, True, False]
    heard = [value for each in error.partial.recordings for value in samples(each.path)]
    assert heard == [n % 1000 for n in range(120 * 160)]
    assert len(files(audio)) == 3


def test_a_cable_pulled_before_the_rate_is_known(imu: CollectSettings) -> None:
    error = broken(Script(text(6), DeviceError("gone")), imu)
    path = imu.folder / "wave" / "wave.0001.csv"
    assert path.read_text() == "a0,a1,a2\n1,2,1\n2,4,2\n3,6,3\n4,8,4\n5,10,0\n"
    assert error.partial.rate_hz is None
    with pytest.raises(BrokenCollectError):
        run(Script(text(6), DeviceError("gone")), replace(imu, rate_hz=50))
    assert (imu.folder / "wave" / "wave.0002.csv").read_text().startswith("timestamp,a0,a1,a2\n0.000,1,2,1\n20.000,")


@pytest.mark.parametrize(
    ("pieces", "words"),
    [([], "nothing came"), ([(0.1, b"\xff\x00garbage")] * 99, "neither numbers nor frames came in 5 s; the last")],
)
def test_silence_and_garbage(imu: CollectSettings, pieces: list[tuple[float, bytes]], words: str) -> None:
    error = broken(Script(pieces), imu)
    assert words in error.error.what
    assert "nothing was recorded" in error.error.what
    assert not imu.folder.exists()


def test_without_a_length_all_is_one_recording(imu: CollectSettings) -> None:
    error = broken(Script(text(500), KeyboardInterrupt()), replace(imu, seconds=None))
    assert [each.complete for each in error.partial.recordings] == [True]
    assert first_column(error.partial.recordings[0].path) == list(range(1, 500))


def test_a_log_is_played_to_its_end(imu: CollectSettings) -> None:
    log = replace(imu, live=False, seconds=None)
    collected = run(Script(text(40), DeviceError("the recorded log is over")), log)
    assert first_column(collected.recordings[0].path) == list(range(1, 40)) or collected.recordings[0].samples == 40
    assert collected.rate_hz is None
    with pytest.raises(UsageError, match="cannot be known"):
        run(Script(text(40)), replace(log, seconds=0.2))
    assert run(Script(text(40)), replace(log, seconds=0.2, rate_hz=50)).recordings[0].samples == 10


def test_sound_has_one_channel_of_whole_numbers(audio: CollectSettings) -> None:
    assert "audio has 1 channel" in broken(Script(text(200)), audio).error.what
    numbers = [(1 / 16_000, b"%d.5\n" % n) for n in range(20_000)]
    assert "whole number" in broken(Script(numbers), audio).error.what
    assert files(audio) == []


def test_recordings_that_no_recipe_reads_together_are_refused(imu: CollectSettings, audio: CollectSettings) -> None:
    run(Script(text(100)), imu)
    other = [(0.02, b"1,2\n")] * 100
    with pytest.raises(UsageError, match=r"has 3 axes; the board sends 2"):
        run(Script(other), replace(imu, label="idle"))
    run(Script(frames(200)), audio)
    with pytest.raises(UsageError, match=r"has 16,000 Hz; these would have 8,000 Hz"):
        run(Script(frames(200, hz=8_000)), replace(audio, rate_hz=8_000))
    with pytest.raises(UsageError, match="`--axes` names 2, and the board sends 3"):
        run(Script(text(100)), replace(imu, axis_names=("x", "y")))


@pytest.mark.parametrize("label", ["", "..", "a/b", "a\\b", ".x", "a\n", "-x", "a:b", "x" * 101])
def test_labels_are_names_of_folders(imu: CollectSettings, label: str) -> None:
    with pytest.raises(UsageError, match="cannot be a label"):
        run(Script(text(100)), replace(imu, label=label))


def test_a_full_disk_keeps_whole_samples(imu: CollectSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    write = RecordingFile._write
    left = [60]

    def full(self: RecordingFile, content: bytes) -> int:
        left[0] -= 1
        if left[0] == 0:
            write(self, content[:3])
            raise OSError(28, "No space left on device", str(imu.folder))
        return write(self, content)

    monkeypatch.setattr(RecordingFile, "_write", full)
    error = broken(Script(text(300)), replace(imu, seconds=4))
    assert "No space left on device; " in error.error.what
    lines = (imu.folder / "wave" / "wave.0001.csv").read_text().splitlines()
    assert all(line.count(",") == 3 for line in lines)
    assert len(files(imu)) == 1


def test_a_look_writes_nothing(imu: CollectSettings) -> None:
    script = Script(text(100))
    seen = look(script, imu, Silence(), script.clock)
    assert (seen.rate_hz, seen.format, seen.first, seen.recordings) == (50, "text", (1, 2, 1), ())
    assert not imu.folder.exists()
