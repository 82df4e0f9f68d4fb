"""The robot tests: they test every board there is, use keywords that exist, and their library builds what they load."""

from __future__ import annotations

import base64
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from kits.models import small_convolution
from tinyedge import wire
from tinyedge.boards import list_boards
from tinyedge.emulate.renode.platform import has_platform
from tinyedge.paths import renode_dir

RENODE_KEYWORDS = {
    "Execute Command",
    "Create Terminal Tester",
    "Start Emulation",
    "Wait For Line On Uart",
    "Write To Uart",
    "Should Be True",
    "Evaluate",
    "FOR",
    "END",
}
"""of Renode's RobotFrameworkEngine, and of Robot itself"""


def section(name: str) -> list[str]:
    """The lines of a section of boards.robot, without its head."""
    text = (renode_dir() / "boards.robot").read_text()
    match = re.search(rf"^\*\*\* {name} \*\*\*.*\n((?:(?!\*\*\*).*\n)*)", text, re.MULTILINE)
    assert match is not None
    return [line for line in match[1].splitlines() if line.strip()]


@pytest.fixture(scope="module")
def keywords() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tinyedge_keywords", renode_dir() / "tinyedge_keywords.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_board_of_renode_is_tested() -> None:
    tested = {re.split(r"\s{2,}", line)[1] for line in section("Test Cases")}
    assert tested == {board.name for board in list_boards() if "renode" in board.emulators}


def test_a_board_that_names_renode_has_a_platform_and_the_other_way_round() -> None:
    for board in list_boards():
        assert ("renode" in board.emulators) == has_platform(board), board.name


def test_only_keywords_that_exist_are_used(keywords: ModuleType) -> None:
    lines = section("Keywords")
    own = {line for line in lines if not line.startswith(" ")}
    library = {name.replace("_", " ").title() for name in vars(keywords) if not name.startswith("_")}
    for line in lines:
        words = [word for word in re.split(r"\s{2,}", line.strip()) if not word.startswith(("${", "@{"))]
        if line.startswith(" ") and not words[0].startswith("["):
            assert words[0] in {*own, *library, *RENODE_KEYWORDS, "RETURN"}, line
    assert section("Settings")[-1].split()[-2:] == ["Firmware", "Runs"]


def test_a_test_ends_by_the_clock_on_the_wall() -> None:
    """Time-outs of Renode's keywords are of virtual time, which a fault loop can make last a day."""
    assert re.fullmatch(r"Test Timeout +\d minutes", section("Settings")[-2])


def test_every_inference_gets_its_input_and_counts_are_exact() -> None:
    lines = [" ".join(line.split()) for line in section("Keywords")]
    assert "Should Be True ${first} > 0 and ${first} == ${second}" in lines
    start = lines.index("Ticks Of An Inference")
    body = lines[start:]
    assert body.index("@{inputs}= Input Requests ${first}") < body.index("${line}= Request ${number} run")


def test_the_library_builds_a_machine(keywords: ModuleType, tmp_path: Path) -> None:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_convolution())
    script = Path(keywords.build_machine(str(model), "bluepill", str(tmp_path)))
    lines = script.read_text().splitlines()
    assert 'mach create "bluepill"' in lines
    assert "cpu VectorTableOffset 0x8000000" in lines
    for start in ("machine LoadPlatformDescription @", "sysbus LoadELF @"):
        (path,) = (line.removeprefix(start) for line in lines if line.startswith(start))
        assert Path(path.replace("\\ ", " ")).is_file()
    assert not any("Terminal" in line or line == "start" for line in lines)
    requests = keywords.input_requests("7")
    numbers, words = requests[::2], [wire.decode_line(line.encode()) for line in requests[1::2]]
    assert numbers == list(range(7, 7 + len(numbers)))
    assert [found and found[:2] for found in words] == [(">", number) for number in numbers]
    pieces = [base64.b64decode(found[2].split()[-1]) for found in words if found]
    assert b"".join(pieces) == bytes(8 * 8 * 1)


def test_the_library_makes_requests(keywords: ModuleType) -> None:
    assert keywords.request(2, "run") + "\n" == wire.encode_line(">", 2, "run").decode()


def test_the_workflow_runs_them(root: Path) -> None:
    text = (root / ".github" / "workflows" / "renode.yml").read_text()
    assert "antmicro/renode-test-action@" in text
    for path in re.findall(r"(?:tests-to-run: |pytest -n0 )(.*)", text):
        for name in path.split():
            assert (root / name).exists(), name
