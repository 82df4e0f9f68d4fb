"""systems.py: what operating systems do differently, and an end that leaves nothing behind."""

from __future__ import annotations

import ast
import os
import pty
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from kits.cli import program
from kits.models import small_convolution
from kits.processes import is_running, make_program, wait_until
from tinyedge import systems

POSIX_ONLY = {
    "os": {"fork", "waitpid", "killpg", "setsid", "sched_getaffinity", "set_blocking", "getuid", "mkfifo", "openpty"},
    "select": {"select", "poll", "epoll"},
    "signal": {"signal", "SIGKILL", "SIGHUP", "setitimer", "alarm", "getsignal"},
}
MODULES = {"fcntl", "termios", "tty", "pty", "resource", "pwd", "grp"}


def test_nothing_else_calls_what_only_some_systems_have(root: Path) -> None:
    found = []
    for path in sorted((root / "toolchain" / "tinyedge").rglob("*.py")):
        if path.name == "systems.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if node.attr in POSIX_ONLY.get(node.value.id, ()):
                    found.append(f"{path.name}: {node.value.id}.{node.attr}")
            elif isinstance(node, ast.Import):
                found += [f"{path.name}: {alias.name}" for alias in node.names if alias.name in MODULES]
            elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
                found.append(f"{path.name}: {node.module}")
    assert found == []


def test_what_breaks_apart_breaks_nothing() -> None:
    assert systems.succeeds_apart(lambda: None)
    assert not systems.succeeds_apart(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert not systems.succeeds_apart(lambda: 1 / 0)


def test_a_terminal_passes_bytes_as_they_are_and_keeps_what_came_before() -> None:
    theirs, other = pty.openpty()
    try:
        os.write(theirs, b"early\n")
        ours = systems.open_terminal(Path(os.ttyname(other)))
        os.write(theirs, b"\x00\xffline\r\n")
        data = b""
        while len(data) < 14:
            systems.wait_readable(ours, 5)
            data += os.read(ours, 100)
        with pytest.raises(BlockingIOError):
            os.read(ours, 100)
        assert data == b"early\n\x00\xffline\r\n"
        os.write(ours, b"\x03back\n")
        back = b""
        while not back.endswith(b"back\n"):
            back += os.read(theirs, 100)
        assert back in (b"\x03back\n", b"early\r\n\x03back\n"), "no echo of what came later, no signals"
        os.close(ours)
    finally:
        os.close(theirs)
        os.close(other)


def test_interrupts_are_held_in_the_main_thread_and_harmless_in_others() -> None:
    done = []

    def held() -> None:
        with systems.interrupts_held():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        held()
    assert done
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            with systems.interrupts_held(), systems.orderly_end():
                pass
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert errors == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_request_to_end_tidies_up(number: signal.Signals, tmp_path: Path) -> None:
    """Context managers run, whichever signal asks; a second request while they do is too late."""
    code = """
        import signal, sys, tempfile, time
        from tinyedge.systems import orderly_end
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell hands down one that ignores
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and so does nohup
        try:
            with orderly_end(), tempfile.TemporaryDirectory(prefix="work-"):
                print("ready", flush=True)
                time.sleep(60)
        except KeyboardInterrupt:
            sys.exit(130)
        """
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert [path.name[:5] for path in tmp_path.iterdir()] == ["work-"]
        child.send_signal(number)
        assert child.wait(30) == 130
    finally:
        child.kill()
        child.communicate()
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """As under nohup: closing the terminal does not end the work."""
    code = """
        import os, signal
        from tinyedge.systems import orderly_end
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with orderly_end():
            os.kill(os.getpid(), signal.SIGHUP)
            print("still at work")
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"still at work\n"), done.stderr


@pytest.mark.toolchain
def test_a_terminated_flash_ends_its_tool_and_says_what_was_touched(tmp_path: Path) -> None:
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    make_program(
        tmp_path, "pyocd", f"[ $1 = --version ] && echo 0.46.0 && exit; echo $$ > {tmp_path}/pid; exec sleep 60"
    )
    (tmp_path / "temporary").mkdir()
    child = subprocess.Popen(
        program("flash", "small.tflite", "-b", "nrf52840", "--no-banner"),
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path / "temporary")},
        stderr=subprocess.PIPE,
        text=True,
    )
    pid = tmp_path / "pid"
    try:
        assert wait_until(lambda: pid.exists() and pid.read_text().strip() != "", 120)
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 130
    assert "interrupted while `pyocd` ran" in said
    assert "may be written in part" in said
    assert wait_until(lambda: not is_running(int(pid.read_text())))
    assert list((tmp_path / "temporary").iterdir()) == []
