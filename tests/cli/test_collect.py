"""`tinyedge collect` over a pseudo terminal: noise, a pulled cable, Ctrl-C, a request to end, and the files left."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kits.cli import assert_refused, program, tinyedge, within
from kits.terminal import Terminal
from tinyedge.collect.frames import encode_frame
from tinyedge.paths import templates_dir

HZ = 200


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "ttyTEST")
    yield terminal
    terminal.unplug()


class Sender:
    """Sends rows at a steady rate until it is stopped; what nobody could take is not sent later, as by a board."""

    def __init__(self, terminal: Terminal, row: Callable[[int], bytes]) -> None:
        self.sent = 0
        self._stop = threading.Event()
        self._terminal = terminal
        self._row = row
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _send(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(0.01):
            while (now := time.monotonic()) >= due:
                self._terminal.send(self._row(self.sent))
                self.sent += 1
                due += 1 / HZ
                if time.monotonic() - now > 0.1:
                    due = time.monotonic()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def start(terminal: Terminal, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program("collect", "--port", str(terminal.path), *arguments),
        cwd=terminal.path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    """(exit code, the document, what was said)."""
    stdout, stderr = process.communicate(timeout=60)
    assert "Traceback" not in stderr
    return process.returncode, json.loads(stdout) if stdout else {}, stderr


def partial_recording(folder: Path) -> None:
    """Wait until a recording grows."""
    deadline = time.monotonic() + 60
    while not any(path.stat().st_size > 600 for path in folder.rglob("*.part")):
        assert time.monotonic() < deadline, "no recording was begun"
        time.sleep(0.02)


def test_frames_in_noise_to_whole_files(terminal: Terminal) -> None:
    process = start(terminal, "--kind", "imu", "--label", "wave", "--seconds", "0.5", "--count", "2", "--json")
    sender = Sender(terminal, lambda n: b"TE\x03noise\n" * (n % 3) + encode_frame(n, [(n, -n, 7)]))
    code, document, _ = ended(process)
    sender.stop()
    assert code == 0
    assert document["schema"] == "tinyedge.collect/1"
    assert document["format"] == "frames"
    assert document["rate_hz"] == pytest.approx(HZ, rel=0.3)  # on a machine that has other work
    folder = terminal.path.parent / "data" / "wave"
    assert sorted(path.name for path in folder.iterdir()) == ["wave.0001.csv", "wave.0002.csv"]
    rows = [line.split(",")[1:] for n in (1, 2) for line in (folder / f"wave.000{n}.csv").read_text().splitlines()[1:]]
    first = int(rows[0][0])
    assert rows == [[str(n), str(-n), "7"] for n in range(first, first + len(rows))]
    assert len(rows) == sum(each["samples"] for each in document["recordings"])


@pytest.mark.parametrize(
    ("end", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 130, marks=pytest.mark.slow), (None, 4)]
)
def test_what_came_before_the_end_is_kept(terminal: Terminal, end: signal.Signals | None, code: int) -> None:
    process = start(terminal, "--kind", "imu", "--label", "wave", "--axes", "x", "--json")
    sender = Sender(terminal, lambda n: encode_frame(n, [(20 * n + i,) for i in range(20)]))
    partial_recording(terminal.path.parent / "data")
    sender.stop()
    time.sleep(0.3)  # what was sent has arrived
    if end is None:
        terminal.unplug()
    else:
        process.send_signal(end)
    found, document, said = ended(process)
    assert found == code, said
    assert "samples are kept, 1 file in `data/wave`" in said
    (recording,) = document["recordings"]
    lines = (terminal.path.parent / recording["path"]).read_text().splitlines()
    assert lines[0] == "timestamp,x"
    heard = [int(line.split(",")[1]) for line in lines[1:]]
    assert heard == list(range(heard[0], 20 * sender.sent))
    assert [path.name for path in (terminal.path.parent / "data" / "wave").iterdir()] == ["wave.0001.csv"]


@pytest.mark.slow
def test_what_a_killed_collection_had_received_is_kept_by_the_next(terminal: Terminal) -> None:
    process = start(terminal, "--kind", "imu", "--label", "wave", "--axes", "x")
    sender = Sender(terminal, lambda n: encode_frame(n, [(20 * n + i,) for i in range(20)]))
    folder = terminal.path.parent / "data" / "wave"
    partial_recording(folder.parent)
    process.kill()
    process.communicate(timeout=60)
    sender.stop()
    (partial,) = folder.iterdir()
    with partial.open("ab") as stream:
        stream.write(b"12.000,3")  # a line that was not finished
    whole = partial.read_bytes().rpartition(b"\n")[0] + b"\n"
    (terminal.path.parent / "log.txt").write_text("timestamp,x\n" + "".join(f"{n},{n}\n" for n in range(9)))
    log = ("--port", "log.txt", "--kind", "imu", "--label", "wave")
    outcome = tinyedge("collect", *log, cwd=terminal.path.parent)
    assert outcome.code == 0, outcome.stderr
    assert "`data/wave/wave.0001.csv` is what an earlier collection had received" in outcome.stderr
    assert (folder / "wave.0001.csv").read_bytes() == whole
    assert sorted(path.name for path in folder.iterdir()) == ["wave.0001.csv", "wave.0002.csv"]


def test_a_log_a_look_and_a_sender(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    motion = ("--kind", "imu", "--label", "x")
    log = tmp_path / "log.txt"
    log.write_text("hello\ntime_ms,ax,ay\n" + "".join(f"{10 * n},{n},{n % 4}.5\n" for n in range(50)))
    seen = within(tmp_path, monkeypatch, capsys, "collect", "--port", "log.txt", *motion, "--dry-run")
    assert seen.code == 0
    assert "rate          100 Hz; 100 measured by the board's time" in seen.stdout
    assert not (tmp_path / "data").exists()
    strayed = within(tmp_path, monkeypatch, capsys, "collect", "--port", "log.txt", *motion, "--rate", "50")
    assert_refused(strayed, 1, "sends 100 samples a second (by time), not 50: 100 % off", "nothing was recorded")
    assert not (tmp_path / "data").exists()
    printed = within(tmp_path, monkeypatch, capsys, "collect", "--sender")
    assert printed.stdout == (templates_dir() / "collect" / "te_frame.h").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--label", "x", "--count", "2"), 2, ("`--count` needs",)),
        (("--label", "a/b"), 2, ("`a/b` cannot be a label",)),
        (
            (
                "--label",
                "x",
            ),
            2,
            ("which port",),
        ),
        (("--label", "x", "--port", "/dev/none"), 4, ("cannot open `/dev/none`",)),
        (("--label", "x", "--axes", "a,,b"), 2, ("cannot name an axis",)),
    ],
)
def test_refusals(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: tuple[str, ...],
) -> None:
    assert_refused(within(tmp_path, monkeypatch, capsys, "collect", "--kind", "imu", *arguments), code, *words)
