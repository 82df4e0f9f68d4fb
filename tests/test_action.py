"""The GitHub Action: a file that GitHub takes, whose steps run here in order, beside stand-ins for GitHub."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from kits.artifacts_by_hand import measured
from kits.models import small_convolution
from kits.processes import make_program
from tinyedge.report.measured import measured_document

pytestmark = pytest.mark.skipif(shutil.which("bash") is None or sys.platform == "win32", reason="needs bash")

SCRIPTS = ("baseline.sh", "comment.sh", "gate.sh")
TINYEDGE = """
echo "tinyedge $@" >> {folder}/calls
for word in "$@"; do
  case "$previous" in
  --markdown) echo "summary of $2 $4" > "$word" ;;
  --junit | --html) echo made > "$word" ;;
  esac
  previous=$word
done
[ "$1" != run ] || echo '{{"schema": "tinyedge.run/2"}}'
[ "$1" != compare ] || exit {compare}
case "$*" in *bad*) echo "error: it is bad" >&2; exit {code} ;; esac
"""
GH = """
echo "gh $@" >> {folder}/calls
case "$*" in
"run list"*) echo "{run}" ;;
"run download"*)
  while [ "$1" != --dir ]; do shift; done
  mkdir -p "$2/runs"
  echo '{{}}' > "$2/runs/a.json" ;;
*PATCH* | *POST*) while [ "$1" != --field ]; do shift; done; cat "${{2#body=@}}" > {folder}/comment ;;
*comments*) echo "{comment}" ;;
esac
"""


@pytest.fixture(scope="module")
def action(root: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((root / "action.yml").read_text(encoding="utf-8"))
    return loaded


def environment(folder: Path, **values: str) -> dict[str, str]:
    """Of a runner, with the stand-ins first on PATH."""
    files = {name: str(folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        Path(path).touch()
    return {
        **os.environ,
        **files,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "RUNNER_TEMP": str(folder),
        "GITHUB_REPOSITORY": "me/mine",
        **values,
    }


def stand_in(folder: Path, code: int = 1, compare: int = 0, run: str = "7", comment: str = "") -> None:
    make_program(folder / "bin", "tinyedge", TINYEDGE.format(folder=folder, code=code, compare=compare))
    make_program(folder / "bin", "gh", GH.format(folder=folder, run=run, comment=comment))
    make_program(folder / "bin", "python", f'echo "python $@" >> {folder}/calls\n')


def script(root: Path, name: str, folder: Path, **values: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(root / "firmware_templates" / "ci" / name)],
        cwd=folder,
        env=environment(folder, **values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_file_is_one_that_github_takes(action: dict[str, Any]) -> None:
    assert action["runs"]["using"] == "composite"
    assert all(entry["description"] and isinstance(entry["default"], str) for entry in action["inputs"].values())
    steps = action["runs"]["steps"]
    for step in steps:
        assert ("run" in step) is not ("uses" in step)
        assert ("run" in step) is ("shell" in step), "composite steps name their shell"
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"])
        else:
            assert "${{" not in step["run"], "what users write reaches a shell as a variable, never as code"
    text = json.dumps(action)
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(action["inputs"]), "no input is unknown or unused"
    ids = {step["id"] for step in steps if "id" in step}
    assert set(re.findall(r"steps\.(\w+)\.", text)) <= ids


def test_its_steps_run_in_their_order(action: dict[str, Any], root: Path, tmp_path: Path) -> None:
    """As for a pull request whose model costs more than before: everything is done, and the last step fails."""
    stand_in(tmp_path, compare=1)
    outputs: dict[str, dict[str, str]] = {}
    values: dict[str, str] = {
        **{f"inputs.{name}": entry["default"] for name, entry in action["inputs"].items()},
        "inputs.models": "a.tflite\nb c.tflite",
        "inputs.boards": "nrf52840",
        "inputs.extras": "train,data",
        "inputs.thresholds": "gate.toml",
        "inputs.working-directory": str(tmp_path),
        "github.action_path": str(root),
        "github.base_ref": "main",
        "github.workflow": "ci",
        "github.event.pull_request.number": "3",
        "runner.temp": str(tmp_path),
    }
    codes = []
    for step in action["runs"]["steps"]:
        if "uses" in step or step["name"] == "Install Renode":
            continue
        for key, named in outputs.items():
            values |= {f"steps.{key}.outputs.{name}": value for name, value in named.items()}
        given = {name: _evaluated(text, values) for name, text in step.get("env", {}).items()}
        around = environment(tmp_path, **given)
        Path(around["GITHUB_OUTPUT"]).write_text("")
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        codes.append(subprocess.run(words, cwd=tmp_path, env=around, check=False).returncode)
        lines = Path(around["GITHUB_OUTPUT"]).read_text().splitlines()
        outputs[step.get("id", "")] = dict(line.split("=", 1) for line in lines)
    assert codes == [0] * (len(codes) - 1) + [1]
    calls = (tmp_path / "calls").read_text().splitlines()
    installed, listed, fetched, *runs, compared = calls[:6]
    assert installed.endswith(f"{root}[train,data]")
    assert "--branch main --workflow ci" in listed
    assert "download 7" in fetched
    assert [run.split(" --")[0] for run in runs] == ["tinyedge run a.tflite", "tinyedge run b c.tflite"]
    assert compared.startswith(f"tinyedge compare {tmp_path}/tinyedge-baseline {tmp_path}/tinyedge-results/runs")
    assert compared.endswith("--thresholds gate.toml")
    comment = (tmp_path / "comment").read_text()
    assert comment.startswith("<!-- tinyedge -->\n")
    assert "summary of a.tflite nrf52840" in comment
    assert "summary of a.tflite nrf52840" in (tmp_path / "github_step_summary").read_text()


def _evaluated(text: str, values: Mapping[str, str]) -> str:
    """The value of a variable of a step: text with names, or the one expression that chooses."""
    if text.startswith("${{ inputs.baseline != 'none'"):
        chosen = values["inputs.baseline"] or values.get("steps.baseline.outputs.folder", "")
        return "" if values["inputs.baseline"] == "none" else chosen
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: values.get(match[1], ""), text)


@pytest.mark.parametrize(("models", "code", "left"), [("a\nbad", 1, 1), ("bad\na", 2, 2), ("bad", 4, 4), ("a", 1, 0)])
def test_the_gate_ends_with_what_failed(root: Path, tmp_path: Path, models: str, code: int, left: int) -> None:
    stand_in(tmp_path, code=code)
    done = script(
        root, "gate.sh", tmp_path, TINYEDGE_MODELS=models, TINYEDGE_BOARDS=" x \n\n y ", TINYEDGE_OPTIONS="--samples\n3"
    )
    assert done.returncode == left, done.stderr
    calls = (tmp_path / "calls").read_text()
    assert calls.count("tinyedge run a --board y --emulator auto --json") == models.count("a\n") + models.endswith("a")
    assert "--samples 3" in calls
    told = (tmp_path / "tinyedge-results" / "summary.md").read_text()
    assert ("error: it is bad" in told) is bool(left)


def test_the_gate_of_a_project_names_nothing(root: Path, tmp_path: Path) -> None:
    stand_in(tmp_path)
    done = script(root, "gate.sh", tmp_path, TINYEDGE_BASELINE=str(tmp_path / "none"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "calls").read_text().startswith("tinyedge run --emulator auto --json")
    assert "there are no earlier runs" in (tmp_path / "tinyedge-results" / "summary.md").read_text()


@pytest.mark.parametrize(("comment", "verb"), [("", "POST"), ("11\n12", "PATCH")])
def test_a_pull_request_has_one_comment(root: Path, tmp_path: Path, comment: str, verb: str) -> None:
    stand_in(tmp_path, comment=comment)
    (tmp_path / "tinyedge-results").mkdir()
    (tmp_path / "tinyedge-results" / "summary.md").write_text("ä" * 40_000)
    done = script(root, "comment.sh", tmp_path, TINYEDGE_PULL="3")
    assert done.returncode == 0, done.stderr
    assert f"--method {verb}" in (tmp_path / "calls").read_text()
    said = (tmp_path / "comment").read_bytes()
    assert len(said) < 65_536
    said.decode()


def test_without_an_earlier_run_nothing_is_fetched(root: Path, tmp_path: Path) -> None:
    stand_in(tmp_path, run="")
    values = {"TINYEDGE_BASELINE": str(tmp_path / "base"), "TINYEDGE_BRANCH": "main", "TINYEDGE_WORKFLOW": "ci"}
    done = script(root, "baseline.sh", tmp_path, **values, TINYEDGE_ARTIFACT="report")
    assert (done.returncode, list((tmp_path / "base").iterdir())) == (0, [])
    assert "nothing to compare with" in done.stdout


@pytest.mark.slow
def test_the_gate_of_a_real_model(root: Path, tmp_path: Path) -> None:
    """A budget that is not kept and a comparison that is: 1, with everything reported."""
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    (tmp_path / "tinyedge.toml").write_text('model = "small.tflite"\nboard = "nrf52840"\n[budget]\nflash_bytes = 9\n')
    make_program(tmp_path / "bin", "tinyedge", f'exec {sys.executable} -m tinyedge "$@"\n')
    (tmp_path / "base").mkdir()
    other = measured_document(measured()) | {"model": "other"}
    (tmp_path / "base" / "other.json").write_text(json.dumps(other))
    done = script(root, "gate.sh", tmp_path, TINYEDGE_BASELINE="base", TINYEDGE_OPTIONS="--samples\n1")
    assert done.returncode == 1, done.stderr
    made = {path.name for path in (tmp_path / "tinyedge-results").iterdir()}
    assert made == {"runs", "summary.md", "compare.html", "compare.xml"} | {
        f"project-board-auto.{suffix}" for suffix in ("html", "xml", "log")
    }
    summary = (tmp_path / "tinyedge-results" / "summary.md").read_text()
    for said in ("over the budget", "1 regression", "not in number 2", "every output byte equals"):
        assert said in summary, said
    (tmp_path / "tinyedge.toml").write_text('model = "small.tflite"\nboard = "nrf52840"\n')
    assert script(root, "gate.sh", tmp_path, TINYEDGE_OPTIONS="--samples\n1").returncode == 0


def test_a_new_project_runs_the_same_scripts(root: Path, tmp_path: Path) -> None:
    from tinyedge.artifacts import Silence
    from tinyedge.cli.config import Config
    from tinyedge.jobs.new import NewChoices, new

    project = new(NewChoices(tmp_path / "wand", "digits"), Config, Silence())
    workflow = yaml.safe_load(project.files[".github/workflows/tinyedge.yml"])
    runs = " ".join(step.get("run", "") for step in workflow["jobs"]["model"]["steps"])
    for name in SCRIPTS:
        assert project.files[f".github/tinyedge/{name}"] == (root / "firmware_templates" / "ci" / name).read_bytes()
        assert f"bash .github/tinyedge/{name}" in runs
