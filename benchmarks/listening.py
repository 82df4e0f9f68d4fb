"""`python -m benchmarks.listening FOLDER`: the recipe `keyword` hears voices that its training never heard.

Each fold of the recipe leaves a speaker out. That speaker's digits, with pauses of noise between them, are one
recording, which the firmware hears in the emulator; every row of features and every output is compared with the
host's. What came of it is kept in benchmarks/listening.json, and the table of docs/streaming.md is made of that.
"""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from benchmarks.results import read_results, write_results
from tinyedge.artifacts.streamed import Streamed
from tinyedge.cli.ui import Ui
from tinyedge.digests import digest
from tinyedge.errors import CheckError, UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.last_training import choose
from tinyedge.jobs.stream import StreamChoices, stream
from tinyedge.jobs.train import train
from tinyedge.paths import write_whole
from tinyedge.train.recipe import find_recipe

RESULTS = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "streaming.md"
BEGIN, END = "<!-- table: python -m benchmarks.listening -->", "<!-- end of table -->"
BOARD = "nrf52840dk"
SCHEMA = "tinyedge.listening/1"
_RATE_HZ = 8_000
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TAKE = "3"
"""of each digit, of some fifty"""
_NOISE, _PAUSES_S = 20.0, (1.0, 1.8)
_HEADS = (
    "speaker",
    "digits",
    "heard",
    "false accepts",
    "signal",
    "differences",
    "instructions a second",
    "core",
    "model",
)

Sound = npt.NDArray[np.int16]


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-d", "--build-dir", type=click.Path(path_type=Path), help="Default: a temporary folder.")
@click.option("--results", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
def main(folder: Path, build_dir: Path | None, results: Path, page: Path) -> None:
    """Play each speaker of FOLDER, in the layout of the Free Spoken Digit Dataset, to a model that never heard them.

    Example: python -m benchmarks.listening free-spoken-digit-dataset/recordings
    """
    recipe = choose(find_recipe("keyword"), data=folder)
    speakers = sorted({path.stem.split("_")[1] for path in folder.rglob("*_*_*.wav")})
    with tempfile.TemporaryDirectory(prefix="tinyedge-listening-") as temporary:
        place = Path(temporary)
        build = (build_dir or place).absolute()
        for change, folded in recipe.each_fold():
            speaker = speakers[int(str(change["test_speaker"]))]
            model = train(folded, build, Ui())
            recording, labels = _write_recording(folder, speaker, recipe.seed, place)
            choices = Choices(model, BOARD, "zig", recipe.optimize, build)
            streamed = stream(choices, StreamChoices(recording, labels=labels), Ui())
            found = read_results(results, SCHEMA, "speakers")
            found[speaker] = _record(streamed, model.digest, digest(recording.read_bytes()))
            write_results(results, SCHEMA, "speakers", dict(sorted(found.items())))
    write_whole(page, render_page(page.read_text(encoding="utf-8"), read_results(results, SCHEMA, "speakers")).encode())


def _write_recording(folder: Path, speaker: str, seed: int, place: Path) -> tuple[Path, Path]:
    """All ten digits of a speaker in some order, and where each is: a .wav, and labels for it."""
    chance = np.random.default_rng([seed, *speaker.encode()])
    parts, labels, at = [_noise(chance, 2.0)], [], 2.0
    for digit_number in chance.permutation(10):
        (path,) = folder.rglob(f"{digit_number}_{speaker}_{_TAKE}.wav")
        sound = _read(path)
        labels.append(f"{at:.3f}\t{at + len(sound) / _RATE_HZ:.3f}\t{_NAMES[int(digit_number)]}\n")
        parts += [sound, _noise(chance, chance.uniform(*_PAUSES_S))]
        at += (len(parts[-2]) + len(parts[-1])) / _RATE_HZ
    recording, label_file = place / f"{speaker}.wav", place / f"{speaker}.txt"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(_RATE_HZ)
        file.writeframes(np.concatenate(parts).astype("<i2").tobytes())
    label_file.write_text("".join(labels), encoding="utf-8")
    return recording, label_file


def _noise(chance: np.random.Generator, seconds: float) -> Sound:
    return chance.normal(0, _NOISE, int(seconds * _RATE_HZ)).astype(np.int16)


def _read(path: Path) -> Sound:
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (_RATE_HZ, 1, 2):
            raise UsageError(f"`{path}` is not of {_RATE_HZ:,} Hz, one channel and 16 bits")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def _record(streamed: Streamed, model: str, recording: str) -> dict[str, Any]:
    """Raises: CheckError when the device and the host differ."""
    if streamed.differs:
        raise CheckError(f"the device differs from the host in {streamed.differs}")
    efforts = (streamed.features, streamed.network)
    return {
        "model": model,
        "recording": recording,
        "seconds": round(streamed.seconds, 3),
        "rows": streamed.rows,
        "inferences": streamed.runs,
        "labels": streamed.expected,
        "missed": [name for _, name in streamed.missed],
        "false_accepts": streamed.false_accepts,
        "instructions_per_second": round(sum(effort.instructions or 0 for effort in efforts)),
        "core_percent": round(100 * (streamed.share or 0), 1),
        "listening_ram_bytes": streamed.ram_bytes,
        "arena_bytes": streamed.built.project.arena_bytes,
    }


def render_page(page: str, speakers: Mapping[str, Any]) -> str:
    """A page with the table between its marks made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    rows = [_row(name, each) for name, each in speakers.items()]
    lines = [_HEADS, ["---"] * len(_HEADS), *rows, _total(speakers)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        str(found["labels"]),
        str(found["labels"] - len(found["missed"])),
        str(found["false_accepts"]),
        f"{found['seconds']:.1f} s",
        f"0 of {found['rows']:,} rows and {found['inferences']:,} outputs",
        f"{found['instructions_per_second']:,}",
        f"{found['core_percent']:.1f} %",
        f"`{found['model'][:12]}`",
    )


def _total(speakers: Mapping[str, Any]) -> tuple[str, ...]:
    every = list(speakers.values())
    return (
        "all",
        str(sum(each["labels"] for each in every)),
        str(sum(each["labels"] - len(each["missed"]) for each in every)),
        str(sum(each["false_accepts"] for each in every)),
        f"{sum(each['seconds'] for each in every):.1f} s",
        f"0 of {sum(each['rows'] for each in every):,} rows and {sum(each['inferences'] for each in every):,} outputs",
        f"{max(each['instructions_per_second'] for each in every):,} at most",
        f"{max(each['core_percent'] for each in every):.1f} % at most",
        f"{len(every)} models",
    )


if __name__ == "__main__":
    main()
