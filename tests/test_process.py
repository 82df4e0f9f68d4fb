"""process.py: output, errors, time-outs, and no child left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from kits.processes import is_running, make_program, wait_until
from tinyedge import process
from tinyedge.errors import InternalError, ToolError, UsageError
from tinyedge.install import package_command

PYTHON = sys.executable


def python(code: str) -> list[str]:
    return [PYTHON, "-c", textwrap.dedent(code)]


def pids_in(path: Path, count: int) -> list[int]:
    """The process numbers that a child writes to `path`, once all are there."""

    def read() -> list[int]:
        return [int(word) for word in path.read_text().split()] if path.exists() else []

    assert wait_until(lambda: len(read()) >= count)
    return read()


def all_end(pids: list[int]) -> bool:
    return wait_until(lambda: not any(is_running(pid) for pid in pids))


FAMILY = "echo $$ >> {file}; sleep 60 & echo $! >> {file}; wait"
"""a shell that starts another process and waits for it"""


def test_run_returns_what_was_printed() -> None:
    done = process.run(python("import sys; print('out'); print('err', file=sys.stderr)"), timeout_s=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")
    assert done.output == "out\nerr"
    assert done.seconds > 0


def test_run_passes_input_folder_and_environment(tmp_path: Path) -> None:
    code = "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ['TE_X'], 'PATH' in os.environ)"
    done = process.run(python(code), timeout_s=20, input="in", cwd=tmp_path, env={"TE_X": "x"})
    assert done.stdout == f"in {tmp_path.resolve()} x True\n"


def test_run_without_input_gives_an_empty_one() -> None:
    assert process.run(python("import sys; print(len(sys.stdin.read()))"), timeout_s=20).stdout == "0\n"


def test_a_large_output_does_not_block() -> None:
    done = process.run(python("import sys; sys.stderr.write('e' * 300_000); print('o' * 300_000)"), timeout_s=20)
    assert (len(done.stdout), len(done.stderr)) == (300_001, 300_000)


def test_undecodable_output_is_replaced() -> None:
    assert process.run(python(r"import os; os.write(1, b'a\xffb')"), timeout_s=20).stdout == "a�b"


def test_a_failure_quotes_the_last_lines_and_names_the_command() -> None:
    code = "import sys; [print('line', i) for i in range(40)]; print('boom', file=sys.stderr); sys.exit(7)"
    with pytest.raises(ToolError) as caught:
        process.run(python(code), timeout_s=20)
    text = str(caught.value)
    assert f"`{Path(PYTHON).name}` ended with exit code 7" in text
    assert text.endswith("| boom")
    assert "line 39" in text
    assert "line 20" not in text
    assert "-c" in caught.value.hint
    assert caught.value.exit_code == 3


def test_a_failure_without_output_says_so(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="ended with exit code 2; it printed nothing"):
        process.run([make_program(tmp_path, "quiet", "exit 2")], timeout_s=20)


def test_check_can_be_left_out() -> None:
    assert process.run(python("raise SystemExit(5)"), timeout_s=20, check=False).returncode == 5


def test_a_signal_is_named() -> None:
    with pytest.raises(ToolError, match="was ended by SIGABRT"):
        process.run(python("import os; os.abort()"), timeout_s=20)


def test_missing_program_missing_folder_and_no_program(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="`te-no-such-tool` is not installed"):
        process.run(["te-no-such-tool"], timeout_s=1)
    with pytest.raises(ToolError, match=r"the folder .* does not exist"):
        process.run([PYTHON], timeout_s=1, cwd=tmp_path / "none")
    plain = tmp_path / "plain"
    plain.write_text("no program")
    with pytest.raises(ToolError, match="`plain` cannot be started: Permission denied"):
        process.run([plain], timeout_s=1)
    with pytest.raises(InternalError):
        process.run([], timeout_s=1)


def test_a_time_out_kills_the_whole_family(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    program = make_program(tmp_path, "family", "echo started\n" + FAMILY.format(file=file))
    with pytest.raises(ToolError, match=r"`family` did not end within 0.5 s and was killed\n +\| started"):
        process.run([program], timeout_s=0.5)
    assert all_end(pids_in(file, 2))


def test_a_child_that_ignores_the_polite_request_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyedge.process.group._GRACE_S", 0.2)
    started = time.monotonic()
    with pytest.raises(ToolError, match="did not end"):
        process.run([make_program(tmp_path, "deaf", "trap '' TERM; while :; do sleep 1; done")], timeout_s=0.3)
    assert time.monotonic() - started < 5


def test_require_and_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_program(tmp_path, "te-tool", "true")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert process.require("te-tool", "no hint") == path
    assert process.find("te-other") is None
    with pytest.raises(ToolError, match="`te-other` is not installed") as caught:
        process.require("te-other", "`apt-get install other` installs it")
    assert (caught.value.hint, caught.value.exit_code) == ("`apt-get install other` installs it", 3)


def test_python_module() -> None:
    assert process.python_module("json.tool", "--help")[0] == PYTHON
    assert "usage" in process.run(process.python_module("json.tool", "--help"), timeout_s=20).stdout
    with pytest.raises(ToolError, match="`te_no_such_module` is not installed") as caught:
        process.python_module("te_no_such_module")
    assert caught.value.hint == f"`{package_command('te_no_such_module')}` installs it"


def test_python_module_does_not_import_from_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    done = process.run(process.python_module("json.tool", "--help"), timeout_s=20, cwd=tmp_path)
    assert done.returncode == 0


def test_log_and_dry_run(tmp_path: Path) -> None:
    logged: list[str] = []
    mark = tmp_path / "mark"
    with process.configured(log=logged.append):
        process.run(["true"], timeout_s=5)
        with process.configured(dry_run=True):
            done = process.run(["touch", mark], timeout_s=5, cwd=tmp_path)
            process.run_parallel([["te-no-such-tool", "a b"]], jobs=1, timeout_s=5)
            assert process.require("te-no-such-tool", "") == Path("te-no-such-tool")
            with pytest.raises(UsageError, match="`cat` has to run"):
                process.start(["cat"])
    process.run(["true"], timeout_s=5)
    assert logged == ["true", f"touch {mark}   (in {tmp_path})", "te-no-such-tool 'a b'", "cat"]
    assert (done.returncode, done.output, mark.exists()) == (0, "", False)
    assert not process.is_dry_run()


def test_run_parallel_keeps_the_order_and_reports_each(tmp_path: Path) -> None:
    caller = threading.get_ident()
    seen: list[int] = []

    def on_done(index: int, done: process.Completed) -> None:
        assert threading.get_ident() == caller
        assert done.stdout == f"{index}\n"
        seen.append(index)

    commands = [["sh", "-c", f"sleep 0.{3 - index}; echo {index}"] for index in range(3)]
    results = process.run_parallel(commands, jobs=3, timeout_s=20, on_done=on_done, cwd=tmp_path)
    assert [done.stdout for done in results] == ["0\n", "1\n", "2\n"]
    assert sorted(seen) == [0, 1, 2]
    assert process.run_parallel([], jobs=2, timeout_s=1) == []


def test_run_parallel_runs_no_more_than_jobs(tmp_path: Path) -> None:
    count = "echo $(ls {0} | wc -l) > {1}/n{2}; touch {0}/{2}; sleep 0.1; rm {0}/{2}"
    running = tmp_path / "running"
    running.mkdir()
    process.run_parallel(
        [["sh", "-c", count.format(running, tmp_path, index)] for index in range(6)], jobs=2, timeout_s=20
    )
    assert max(int(path.read_text()) for path in tmp_path.glob("n*")) <= 1


def test_the_first_failure_of_run_parallel_ends_the_others(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    late = tmp_path / "late"
    commands = [
        ["sh", "-c", FAMILY.format(file=file)],
        ["sh", "-c", f"while [ $(cat {file} 2>/dev/null | wc -l) -lt 2 ]; do sleep 0.01; done; echo bad >&2; exit 4"],
        ["touch", str(late)],
    ]
    started = time.monotonic()
    with pytest.raises(ToolError, match=r"ended with exit code 4\n +\| bad"):
        process.run_parallel(commands, jobs=2, timeout_s=60)
    assert time.monotonic() - started < 20
    assert all_end(pids_in(file, 2))


CALLS = {
    "run": "process.run(['sh', '-c', family], timeout_s=60)",
    "run_parallel": "process.run_parallel([['sh', '-c', family]] * 2, jobs=2, timeout_s=60)",
    "start": "child = process.start(['sh', '-c', family]); child.wait(60)",
}


@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c_leaves_no_child(call: str, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    code = f"""
        import signal
        from tinyedge import process
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell hands down one that ignores
        family = {FAMILY.format(file=file)!r}
        try:
            {CALLS[call]}
        except KeyboardInterrupt:
            raise SystemExit(130)
        """
    parent = subprocess.Popen(python(code), stderr=subprocess.PIPE)
    try:
        pids = pids_in(file, 4 if call == "run_parallel" else 2)
        parent.send_signal(signal.SIGINT)
        _, errors = parent.communicate(timeout=30)
    finally:
        parent.kill()
        parent.wait()
    assert (parent.returncode, errors) == (130, b"")
    assert all_end(pids)


def test_a_started_child_talks_and_stops() -> None:
    with process.start(["cat"]) as child:
        assert (child.name, child.poll()) == ("cat", None)
        child.stdin.write(b"hello\n")
        assert child.stdout.readline() == b"hello\n"
        assert child.wait(0.05) is None
        assert child.stop() == -signal.SIGTERM
        assert child.stop() == -signal.SIGTERM
        assert child.poll() == -signal.SIGTERM
    assert child.stdout.closed


def test_a_started_child_that_ends_by_itself_is_reaped() -> None:
    with process.start(["sh", "-c", "echo out; echo err >&2; exit 3"], merge_stderr=True) as child:
        assert child.wait(20) == 3
        assert child.last_words() == []
        assert sorted(child.stdout.read().split()) == [b"err", b"out"]
    with pytest.raises(ChildProcessError):
        os.waitpid(child.pid, os.WNOHANG)


def test_lines_come_until_the_output_ends_and_long_ones_in_pieces() -> None:
    with process.start(["sh", "-c", "printf 'one\\r\\n\\nabcdefgh\\nend'; sleep 60"]) as child:
        lines = child.lines(longest_bytes=5)
        assert [next(lines) for _ in range(4)] == ["one", "", "abcde", "fgh"]
        child.stop()
        assert list(lines) == ["end"]


def test_a_talkative_child_never_waits_for_its_standard_error_to_be_read() -> None:
    code = "import sys; [print('line', i, file=sys.stderr) for i in range(100_000)]; print('done')"
    with process.start([sys.executable, "-c", code]) as child:
        assert list(child.lines()) == ["done"]
        assert child.wait(20) == 0
        words = child.last_words()
    assert words[-1] == "line 99999"
    assert sum(map(len, words)) <= 4096


def test_the_last_words_come_in_time_though_a_grandchild_holds_the_pipe() -> None:
    with process.start([sys.executable, "-c", HOLDS_STDERR]) as child:
        assert child.wait(20) == 3
        assert child.last_words() == ["why"]


HOLDS_STDERR = """
import os, sys, time
print("why", file=sys.stderr, flush=True)
if os.fork() == 0:
    os.setsid()
    time.sleep(3)
os._exit(3)
"""


def test_stop_ends_what_the_child_left_behind(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    with process.start(["sh", "-c", f"sleep 60 & echo $! > {file}"]) as child:
        assert child.wait(20) == 0
        (orphan,) = pids_in(file, 1)
        assert is_running(orphan)
    assert wait_until(lambda: not is_running(orphan))


def test_a_started_child_ends_with_tinyedge(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    code = f"""
        import sys, time
        from pathlib import Path
        from tinyedge import process
        process.start(["sh", "-c", {FAMILY.format(file=file)!r}])
        file = Path({str(file)!r})
        while not file.exists() or len(file.read_text().split()) < 2:
            time.sleep(0.01)
        """
    subprocess.run(python(code), check=True, timeout=60, stderr=subprocess.DEVNULL)
    assert all_end(pids_in(file, 2))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="no /proc: left-over children cannot be found")
def test_an_interrupt_at_any_moment_of_a_start_leaves_no_child() -> None:
    code = """
        import os, signal, threading, time
        from pathlib import Path
        from tinyedge import process

        def press(delay_s):
            time.sleep(delay_s)
            os.kill(os.getpid(), signal.SIGINT)

        def is_running(pid):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

        for i in range(20):
            thread = threading.Thread(target=press, args=(i * 0.00015,))
            try:
                thread.start()
                process.run(["sleep", "60"], timeout_s=30)
            except KeyboardInterrupt:
                pass
            thread.join()
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        deadline = time.monotonic() + 5
        while any(map(is_running, children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        left = [pid for pid in children if is_running(pid)]
        print(len(left))
        for pid in left:
            os.kill(int(pid), signal.SIGKILL)
        """
    done = subprocess.run(python(code), check=False, timeout=120, capture_output=True, text=True)
    assert done.stdout == "0\n", done.stderr


@pytest.mark.parametrize("words", ["error: unable to write `a.o`: NoSpaceLeft", "No space left on device"])
def test_a_program_that_met_a_full_disk_says_where_to_make_room(words: str) -> None:
    with pytest.raises(ToolError) as caught:
        process.run([sys.executable, "-c", f"import sys; sys.exit({words!r})"], timeout_s=30)
    assert words in caught.value.what
    assert caught.value.hint.startswith("free some space")
    assert "TINYEDGE_CACHE" in caught.value.hint
