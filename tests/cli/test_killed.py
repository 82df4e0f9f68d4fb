"""An emulator that is killed or stops answering in the middle: a clear error, what was measured, nothing left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kits.cli import Outcome, assert_refused, program, tinyedge
from kits.processes import is_running, processes_with, wait_until

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc: left-over processes cannot be found"),
    pytest.mark.slow,
]
SAMPLES = 20_000
EMULATORS = {"unicorn": ("nrf52840", "unicorn.worker"), "qemu": ("mps2_an386", "qemu-system-arm")}


class Call:
    """A running `tinyedge`, and the processes that it started."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._mark = f"TINYEDGE_TEST_SESSION={folder}-{time.monotonic_ns()}"
        name, _, value = self._mark.partition("=")
        self.process = subprocess.Popen(
            program(*arguments), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {name: value},
        )  # fmt: skip

    def descendants(self) -> Iterator[tuple[int, str]]:
        """(process id, command line) of what it started and still runs, found by the environment it hands on."""
        return processes_with(self._mark, but=self.process.pid)

    def wait_for(self, word: str) -> int:
        """The process whose command line holds `word`, once samples have gone through it for more than a second."""
        assert self.process.stderr is not None
        told = [self.process.stderr.readline()]
        while "run and verify" not in told[-1]:  # the progress bar, which shows itself late
            assert told[-1], told
            told.append(self.process.stderr.readline())
        return next(pid for pid, line in self.descendants() if word in line)

    def end(self) -> Outcome:
        """What it printed, and how it ended."""
        try:
            output, errors = self.process.communicate(timeout=200)
        finally:
            self.process.kill()
        return Outcome(self.process.returncode, output, errors)


@pytest.mark.parametrize(
    ("name", "command", "number"),
    [
        ("unicorn", "run", signal.SIGKILL),
        ("unicorn", "bench", signal.SIGSTOP),  # it hangs
        ("qemu", "bench", signal.SIGKILL),
        ("qemu", "run", signal.SIGSTOP),
    ],
)
def test_the_emulator_is_lost_in_the_middle(
    small_folder: Path, name: str, command: str, number: signal.Signals
) -> None:
    board, word = EMULATORS[name]
    if name == "qemu" and shutil.which(word) is None:
        pytest.skip("no QEMU: apt-get install qemu-system-arm")
    options = ["small.tflite", "-b", board, "--emulator", name, "--samples", str(SAMPLES), "--json"]
    call = Call(small_folder, command, *options, *(["--runtime", "aot"] if command == "bench" else []))
    emulator = call.wait_for(word)
    os.kill(emulator, number)
    outcome = call.end()
    what = "SIGKILL" if number is signal.SIGKILL else "did not answer"
    assert_refused(outcome, 4, what, "the device failed after", f"of {SAMPLES:,} samples")
    document = json.loads(outcome.stdout)
    run = document["runs"][0] if command == "bench" else document
    done = run["verify"]["samples"]
    assert 0 < done < SAMPLES
    assert f"partial: the device failed after {done:,} of {SAMPLES:,} samples" in run["notes"]
    assert run["instructions"]["value"] > 0
    assert wait_until(lambda: not is_running(emulator))
    assert list(call.descendants()) == []


def test_two_at_once_of_which_one_is_killed(small_folder: Path) -> None:
    """The other goes on, and finds every byte right."""
    options = ("run", "small.tflite", "-b", "nrf52840", "--json")
    victim, other = (Call(small_folder, *options, "--samples", samples) for samples in ("20000", "4000"))
    os.kill(victim.wait_for("unicorn.worker"), signal.SIGKILL)
    assert victim.end().code == 4
    outcome = other.end()
    assert outcome.code == 0, outcome.stderr
    assert json.loads(outcome.stdout)["verify"] == {"samples": 4000, "mismatches": 0, "first_mismatch": None}
    assert tinyedge(*options, "--samples", "2", cwd=small_folder).code == 0
