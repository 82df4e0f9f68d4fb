"""Figures in README.md and docs/: each table is compared with what runs give, or with a table that is.

Arenas and multiplications must agree to the last one; instructions, cycles and flash within 1 %, as compilers of
another version choose other instructions. `TABLES` says of every table that holds figures how it is compared.
"""

from __future__ import annotations

import functools
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from benchmarks import calibration
from kits.cli import tinyedge
from tinyedge.boards import list_boards, load_board
from tinyedge.graph.reader import read_model
from tinyedge.measure.oracle import oracle_available
from tinyedge.ops import parse_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan, plan_curve
from tinyedge.timing.calibration import ErrorSummary

TOLERANCE = 0.01
FILES = {
    "keyword spotting, DS-CNN": "kws_ref_model",
    "keyword spotting": "kws_ref_model",
    "image classification, ResNet-8": "pretrainedResnet_quant",
    "image classification": "pretrainedResnet_quant",
    "person detection, MobileNetV1 0.25": "vww_96_int8",
    "person detection": "vww_96_int8",
    "anomaly detection, autoencoder": "ad01_int8",
    "hello world, a sine": "hello_world_int8",
}
FILES_BY_TASK = {name.partition(",")[0]: file for name, file in FILES.items()}
CORES = {
    "Cortex-M0+": "rpi_pico",
    "M3": "bluepill",
    "M4F": "nrf52840dk",
    "M7": "mps2_an500",
    "M55 (Helium)": "mps3_an547",
    "RV32IMC": "esp32c3_devkitm",
}
"""the columns of cycles for each multiplication, and a board of that core"""
UNTOLD = "-"

TABLES = {
    ("README.md", "model | MACs | TFLM + CMSIS-NN | balanced | speed | arena | flash"): (
        "MACs by the files, arenas by plans; the rest by runs, three of them quick and all with `slow`; TFLM by tflm.md"
    ),
    ("README.md", " | Cortex-M0+ | M3 | M4F | M7 | M55 (Helium) | RV32IMC"): "by board-table.md, by runs with `slow`",
    ("docs/board-table.md", "board | model | compiler"): (
        "kws_ref_model by plans, by runs with `slow` (of the host the arena alone: its C library is another's); digits "
        "follow from the weights that training gave: that boards of one core agree with each other, and no more"
    ),
    ("docs/bring-your-own.md", "network | source"): "not at all: trainings, by `benchmarks.source_table`",
    ("docs/emulators.md", "model | board | `unicorn` | `qemu`"): "by board-table.md",
    ("docs/compression.md", "digits: techniques | seeds"): (
        "by benchmarks/compression.json, which trainings and runs made: tests/benchmarks/test_compression.py"
    ),
    (
        "docs/streaming.md",
        "speaker | digits | heard",
    ): "by benchmarks/listening.json: tests/benchmarks/test_listening.py",
    ("docs/recipes.md", "recipe | judged by | float"): (
        "by benchmarks/recipes.json, which trainings and runs made: tests/benchmarks/test_recipes.py"
    ),
    ("docs/recipes.md", "activity: seed | test"): "by benchmarks/recipes.json, and its means by its folds",
    ("docs/recipes.md", "anomaly: seed | test"): "by benchmarks/recipes.json, and its means by its folds",
    ("docs/recipes.md", "digits: seed | test"): "by benchmarks/recipes.json, and its means by its folds",
    ("docs/recipes.md", "fashion: seed | test"): "by benchmarks/recipes.json, and its means by its folds",
    ("docs/recipes.md", "keyword: seed | test"): "by benchmarks/recipes.json, and its means by its folds",
    ("docs/compression.md", "core | layer | weights"): (
        "constants and scratch by what kernels state, ratios by the figures beside them, the rest by runs with `slow`: "
        "tests/benchmarks/test_storage.py"
    ),
    ("docs/latency.md", "chip | supply | nJ a cycle"): "by tests/benchmarks/test_energies.py",
    ("docs/latency.md", "board | networks | constants"): "by `benchmarks.calibration`, to the last digit",
    (
        "docs/latency.md",
        "model | optimized for | instructions",
    ): "by runs with `slow`; what others published not at all",
    ("docs/model-table.md", "model | MACs | instructions, size"): (
        "by benchmarks/model_runs.json, which runs made: tests/benchmarks/test_public_models.py, which runs some again "
        "where TINYEDGE_MODELS names a folder of the files"
    ),
    ("docs/model-table.md", "model | arena, size"): "the same",
    ("docs/model-table.md", "layer kind | models"): "the same: sums of benchmarks/model_runs.json",
    ("docs/mlperf.md", "model | what the runner sends"): "sizes by tests/mlperf, which send them",
    ("docs/trust.md", "reply | taken"): "not at all: counts of one run; tests/measure/test_noise.py lets none be wrong",
    ("docs/features.md", "kind | Cortex-M4 | Cortex-M0+"): (
        "RAM and constants by what is generated; instructions by runs with `slow`: tests/features/test_boards.py"
    ),
    ("docs/features.md", "runtime | Cortex-M4 | Cortex-M0+"): (
        "tinyedge's instructions by runs with `slow`: tests/features/test_boards.py; the rest not at all"
    ),
    (
        "docs/rows.md",
        "model | arena | instructions",
    ): "arenas by plans; instructions not at all, for three samples each",
    (
        "docs/rows.md",
        "network | arena by rows",
    ): "not at all: models from elsewhere, by `tinyedge run`",
    ("docs/rows.md", "network | tinyedge, least"): (
        "tinyedge's by the table of boards, TensorFlow Lite Micro's by tflm.md; what others published not at all"
    ),
    ("docs/rows.md", "model | core | least arena, whole"): (
        "by plans of the models that are here, with `slow`; the rest by `benchmarks.ram_curves`"
    ),
    ("docs/tflm.md", "model | runtime | instructions | cycles | arena | RAM | flash | code"): (
        "aot by plans, by runs with `slow`; digits by board-table.md; ratios by the figures beside them; TFLM's own "
        "not at all: they need its source tree"
    ),
}
"""(file, beginning of the head) of every table with figures: how it is compared here"""

pytestmark = pytest.mark.xdist_group("figures")  # runs are made once in a worker

Row = dict[str, str]
Run = Callable[..., dict[str, Any]]


def tables(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """(head, rows) of the Markdown tables of a page."""
    lines = [*path.read_text(encoding="utf-8").splitlines(), ""]
    at = 0
    while at < len(lines):
        end = next(i for i in range(at, len(lines)) if not lines[i].startswith("|"))
        if end - at > 2:
            head, _, *rows = [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines[at:end]]
            yield " | ".join(head), [dict(zip(head, row, strict=True)) for row in rows]
        at = end + 1


def table(root: Path, name: str) -> list[Row]:
    """Rows of the only table of `TABLES` in a page whose head has a column `name`."""
    page, column = name.split(":")
    heads = [head for file, head in TABLES if file == page]
    (rows,) = [
        rows for head, rows in tables(root / page) if head.startswith(tuple(heads)) and column in head.split(" | ")
    ]
    return rows


def number(text: str) -> float:
    """Of `2.95 M`, `8,896 B`, `398,309 (2.9)` or `1.50`."""
    words = text.split(" ")
    return float(words[0].replace(",", "")) * (1_000_000 if words[1:2] == ["M"] else 1)


def last_place(text: str) -> float:
    """What the last digit of a figure is worth."""
    word, *unit = text.split(" ")
    decimals = len(word.partition(".")[2])
    return 10.0**-decimals * (1_000_000 if unit[:1] == ["M"] else 1)


def agrees(text: str, found: float) -> bool:
    """Whether a figure says what was found: within `TOLERANCE`, and half of its last digit."""
    return abs(number(text) - found) <= TOLERANCE * found + last_place(text) / 2


def written_like(text: str, found: float) -> str:
    """A figure as a cell of a table has it.

    >>> written_like("2.95 M", 3_012_345), written_like("8,896 B", 9004), written_like("-", 12.0)
    ('3.01 M', '9,004 B', '12')
    """
    word, *unit = text.split(" ")
    scale = 1_000_000 if unit[:1] == ["M"] else 1
    return " ".join([f"{found / scale:,.{len(word.partition('.')[2])}f}", *unit])


def compare(
    row: Row, *, near: Mapping[str, float] = MappingProxyType({}), exact: Mapping[str, float] = MappingProxyType({})
) -> None:
    """Cells of a row with what runs and plans gave. A drift tells the row as it should be, to paste."""
    wrong = [column for column, found in near.items() if row[column] == UNTOLD or not agrees(row[column], found)]
    wrong += [column for column, found in exact.items() if row[column] == UNTOLD or number(row[column]) != found]
    found = {**near, **exact}
    renewed = {column: written_like(cell, found[column]) if column in wrong else cell for column, cell in row.items()}
    old, new = (f"| {' | '.join(cells.values())} |" for cells in (row, renewed))
    assert not wrong, f"drift of {', '.join(wrong)}\n{old}\nis now\n{new}"


@pytest.fixture(scope="module")
def run(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The document of `tinyedge run` of a model on a board, each made once."""
    folder = tmp_path_factory.mktemp("figures")

    @functools.cache
    def run_once(model: str, board: str, optimize: str = "balanced", *options: str) -> dict[str, Any]:
        words = ("run", shared_models / f"{model}.tflite", "-b", board, "--optimize", optimize, "--samples", "2")
        outcome = tinyedge(*words, *options, "--json", cwd=folder)
        assert outcome.code == 0, outcome.stderr
        document: dict[str, Any] = json.loads(outcome.stdout)
        return document

    return run_once


@pytest.fixture(scope="module")
def plan(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The document of `tinyedge plan` of a model for a board, each made once."""
    folder = tmp_path_factory.mktemp("plans")

    @functools.cache
    def plan_once(model: str, board: str) -> dict[str, Any]:
        outcome = tinyedge("plan", shared_models / f"{model}.tflite", "-b", board, "--json", cwd=folder)
        assert outcome.code == 0, outcome.stderr
        document: dict[str, Any] = json.loads(outcome.stdout)
        return document

    return plan_once


@pytest.fixture(scope="module")
def macs(shared_models: Path) -> Callable[[str], int]:
    """Multiplications of a model as its file has them, before any pass."""

    @functools.cache
    def count(model: str) -> int:
        graph = read_model((shared_models / f"{model}.tflite").read_bytes(), model)
        return sum(layer.macs for layer in parse_graph(graph))

    return count


needs_oracle = pytest.mark.skipif(not oracle_available(), reason="needs the oracle: pip install tflite-micro")
needs_qemu = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="no QEMU: apt install qemu-system-arm")
needs_gcc = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc: apt-get install gcc-arm-none-eabi"
)


# -- every table is compared ---------------------------------------------------------------------------------------


def test_every_table_with_figures_is_compared(root: Path) -> None:
    """A table counts as one with figures when half of its rows hold a number of three digits or with a point."""
    found = []
    for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        for head, rows in tables(page):
            with_figures = sum(any(re.match(r"\d[\d,]*([,.]\d+)", cell) for cell in row.values()) for row in rows)
            if with_figures * 2 >= len(rows):
                found.append((str(page.relative_to(root)), head))
    assert len(found) == len(TABLES), found
    for (page, head), (listed_page, listed_head) in zip(sorted(found), sorted(TABLES), strict=True):
        assert page == listed_page
        assert head.startswith(listed_head)


@pytest.mark.parametrize(("text", "found"), [("2.95 M", 2_984_000), ("8,896 B", 8_980), ("0.22", 0.227)])
def test_figures_agree_within_a_percent_and_no_more(text: str, found: float) -> None:
    assert agrees(text, found)
    assert agrees(text, number(text))
    assert not agrees(text, number(text) + 1.2 * TOLERANCE * found + last_place(text) / 2)


def test_a_drift_tells_the_row_as_it_should_be() -> None:
    row = {"model": "a", "arena": "8,896 B", "instructions": "2.95 M", "cycles": "1.50"}
    compare(row, near={"instructions": 2_955_000, "cycles": 1.51}, exact={"arena": 8896})
    with pytest.raises(AssertionError) as drift:
        compare(row, near={"instructions": 3_261_000, "cycles": 1.51}, exact={"arena": 8904})
    assert "| a | 8,904 B | 3.26 M | 1.50 |" in str(drift.value)
    assert "drift of instructions, arena" in str(drift.value)


# -- docs/rows.md ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_arenas_of_streams(root: Path, shared_models: Path, tmp_path: Path) -> None:
    for row in table(root, "docs/rows.md:with"):
        options = row["with"].strip("`").split(" ")
        model = FILES.get(row["model"], "person_detect")
        words = ("plan", shared_models / f"{model}.tflite", "-b", "nrf52840dk", "--json")
        small = json.loads(tinyedge(*words, *options, cwd=tmp_path).stdout)
        fast = json.loads(tinyedge(*words, "--optimize", "speed", cwd=tmp_path).stdout)
        compare(row, exact={"arena": small["arena_bytes"], "at `speed`": fast["arena_bytes"]})


@pytest.mark.slow
def test_least_arenas_of_streams(root: Path, shared_models: Path) -> None:
    core, seen = load_board("nrf52840dk").core, 0
    for row in table(root, "docs/rows.md:boards that it fits now alone"):
        path = shared_models / f"{row['model']}.tflite"
        if path.exists():
            graph = optimize_graph(settle_graph(read_model(path.read_bytes(), path.stem)))
            whole = make_plan(graph, core, "size", by_rows=False).arena_bytes
            least = [plan_curve(graph, core, input_rows=rows).points[0].arena_bytes for rows in (False, True)]
            names = ("least arena, whole", "by rows", "by rows, input in rows")
            assert [number(row[name]) for name in names] == [whole, *least], row["model"]
            seen += 1
    assert seen == 4


def test_others_beside_streams(root: Path) -> None:
    """Figures that two tables have are the same in both."""
    least = {row["model"]: row for row in table(root, "docs/rows.md:boards that it fits now alone")}
    tflm = {model: row for (model, runtime), row in of_tflm(root).items() if runtime == "CMSIS-NN"}
    rows = {row["network"]: row for row in table(root, "docs/rows.md:TinyEngine")}
    for network in ("keyword spotting", "image classification", "person detection"):
        assert number(rows[network]["tinyedge, least"]) == number(least[FILES[network]]["by rows"])
        assert number(rows[network]["TensorFlow Lite Micro"]) == number(tflm[FILES[network]]["arena"])
    assert rows["person detection"]["tinyedge, least"].endswith("; 14,780 B in rows")
    assert rows["mcunet-vww1"]["tinyedge, least"] == "22,644 B; 15,492 B in rows"


# -- README: fast and small ----------------------------------------------------------------------------------------


def fast_and_small(root: Path) -> dict[str, Row]:
    return {FILES[row["model"]]: row for row in table(root, "README.md:TFLM + CMSIS-NN")}


def test_multiplications_and_arenas_of_the_readme(root: Path, plan: Run, macs: Callable[[str], int]) -> None:
    rows = fast_and_small(root)
    assert len(rows) == 4
    for model, row in rows.items():
        planned = plan(model, "nrf52840dk")
        compare(row, exact={"arena": planned["arena_bytes"], "MACs": round(macs(model), -4)})


QUICK = [("kws_ref_model", "balanced"), ("kws_ref_model", "speed"), ("ad01_int8", "balanced")]
REST = [("ad01_int8", "speed")]
REST += [(model, optimize) for model in ("pretrainedResnet_quant", "vww_96_int8") for optimize in ("balanced", "speed")]


@needs_oracle
@pytest.mark.parametrize(
    ("model", "optimize"), [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in REST)]
)
def test_instructions_and_flash_of_the_readme(model: str, optimize: str, root: Path, run: Run) -> None:
    row, found = fast_and_small(root)[model], run(model, "nrf52840dk", optimize)
    assert found["verify"]["mismatches"] == 0
    compare(row, near={optimize: found["instructions"]["value"]})
    if optimize == "balanced":
        memory = found["memory"]
        compare(row, near={"flash": memory["flash_bytes"]}, exact={"arena": memory["arena_bytes"]})


def test_the_yardstick_of_the_readme_is_that_of_the_docs(root: Path) -> None:
    yardsticks = {model: row["instructions"] for (model, runtime), row in of_tflm(root).items() if runtime != "aot"}
    for model, row in fast_and_small(root).items():
        assert agrees(row["TFLM + CMSIS-NN"], number(of_tflm(root)[model, "CMSIS-NN"]["instructions"])), model
    assert len(yardsticks) == 6


def pipeline_cycles(found: dict[str, Any]) -> float:
    """Modelled cycles of a `tinyedge.run/2` at zero wait states."""
    reads = found["memory_model"]["flash_reads"]
    return float(found["cycles"]["value"] - (reads["stall_cycles"] if reads else 0))


# -- docs/latency.md -----------------------------------------------------------------------------------------------


def test_errors_of_the_memory_model_are_those_of_the_fit(root: Path) -> None:
    found = {each.published.board: each for each in map(calibration.calibrate, calibration.read_published())}
    for row in table(root, "docs/latency.md:constants"):
        board = found[row["board"].strip("`")]
        fitted = "predicted" not in row["networks"]
        rows = [each for each in board.rows if each.network.fitted == fitted]
        known = board.left_out if fitted else board.predicted
        assert known is not None
        alone = ErrorSummary.of([each.pipeline_error for each in rows])
        assert row["networks"].startswith(f"{len(rows)} with `{rows[0].network.flags}`")
        assert [row["mean error, left out"], row["largest, left out"]] == [
            f"{known.mean:.1f} %",
            f"{known.largest:.1f} %",
        ]
        assert [row["pipeline alone: mean"], row["largest"]] == [f"{alone.mean:.1f} %", f"{alone.largest:.1f} %"]
        assert all(f"{cycles:.2f}" in row["constants"] for cycles in board.fit.cycles.values()) == fitted


@pytest.mark.slow
def test_latencies_of_the_l4r5_are_those_of_a_run(root: Path, run: Run) -> None:
    for row in table(root, "docs/latency.md:modelled ms"):
        found = run(FILES_BY_TASK[row["model"]], "nucleo_l4r5zi", row["optimized for"].strip("`"))
        reads = found["memory_model"]["flash_reads"]
        figures = {
            "instructions": found["instructions"]["value"],
            "pipeline cycles": pipeline_cycles(found),
            "misses of code": reads["code_misses"],
            "misses of data": reads["data_misses"],
            "modelled ms": found["latency_us"]["value"] / 1000,
        }
        compare(row, near=figures)


# -- README: cycles for each multiplication ------------------------------------------------------------------------


def per_macs(root: Path) -> dict[tuple[str, str], Row]:
    """Rows by model and optimization."""
    rows = {}
    for row in table(root, "README.md:Cortex-M0+"):
        name, optimize = row[""].split(", ")
        rows[FILES[name], optimize.strip("`")] = row
    return rows


def cost(found: dict[str, Any]) -> float:
    """Cycles where the core has a timing model, else instructions."""
    return float(pipeline_cycles(found) if found["cycles"]["value"] else found["instructions"]["value"])


def test_cycles_for_each_multiplication_are_those_of_the_table_of_boards(
    root: Path, macs: Callable[[str], int]
) -> None:
    row = per_macs(root)["kws_ref_model", "balanced"]
    for core, board in CORES.items():
        cell = of_boards(root)[board, "kws_ref_model", "zig"]
        spent = cell["cycles"] if cell["cycles"] != UNTOLD else cell["qemu"]
        compare(row, near={core: number(spent) / macs("kws_ref_model")})


@needs_oracle
def test_cycles_for_each_multiplication_on_the_m4f(root: Path, macs: Callable[[str], int], run: Run) -> None:
    for optimize in ("balanced", "speed"):
        per_mac = cost(run("kws_ref_model", "nrf52840dk", optimize)) / macs("kws_ref_model")
        compare(per_macs(root)["kws_ref_model", optimize], near={"M4F": per_mac})


@pytest.mark.slow
@needs_oracle
@pytest.mark.parametrize("core", [pytest.param(name, marks=needs_qemu if "M55" in name else []) for name in CORES])
def test_cycles_for_each_multiplication_on_every_core(
    core: str, root: Path, macs: Callable[[str], int], run: Run
) -> None:
    board, untold = CORES[core], []
    for (model, optimize), row in per_macs(root).items():
        if row[core] == UNTOLD:
            untold.append(model)
            continue
        compare(row, near={core: cost(run(model, board, optimize)) / macs(model)})
    assert untold == (["pretrainedResnet_quant"] * 2 if core == "M3" else [])


# -- docs/board-table.md and docs/emulators.md ---------------------------------------------------------------------


def of_boards(root: Path) -> dict[tuple[str, str, str], Row]:
    """Rows by board, model and compiler."""
    return {(row["board"], row["model"], row["compiler"]): row for row in table(root, "docs/board-table.md:compiler")}


def test_arenas_of_the_table_of_boards(root: Path, plan: Run) -> None:
    """Of one board quickly; boards of one core have one arena."""
    for compiler in ("zig", "gcc"):
        row = of_boards(root)["nrf52840dk", "kws_ref_model", compiler]
        compare(row, exact={"arena B": plan("kws_ref_model", "nrf52840dk")["arena_bytes"]})


def test_boards_of_one_core_have_the_same_figures(root: Path) -> None:
    """Flash differs by startup code and clock setting, a kilobyte at most; counts by the rounding of one reading."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for (board, model, compiler), row in of_boards(root).items():
        groups.setdefault((load_board(board).core.name, model, compiler), []).append(row)
    assert len(groups) >= 30
    for key, rows in groups.items():
        assert len({row["arena B"] for row in rows}) == 1, key
        for column, most in (("flash B", 1024), ("RAM B", 32), ("unicorn", 40)):
            values = [number(row[column]) for row in rows if row[column] != UNTOLD]
            assert not values or max(values) - min(values) <= most, (key, column)


@pytest.mark.slow
@needs_oracle
@pytest.mark.parametrize("compiler", ["zig", pytest.param("gcc", marks=needs_gcc)])
@pytest.mark.parametrize("board", [board.name for board in list_boards()])
def test_runs_give_the_table_of_boards(board: str, compiler: str, root: Path, run: Run) -> None:
    row = of_boards(root).get((board, "kws_ref_model", compiler))
    if row is None:
        pytest.skip(f"the table has no row of {board} with {compiler}")
    own = (root / "docs" / "board-table.md").read_text(encoding="utf-8")
    found = run("kws_ref_model", board, "balanced", "--compiler", compiler)
    if found["compiler"] not in own:
        pytest.skip(f"the table was made by another compiler than {found['compiler']}")
    assert found["verify"]["mismatches"] == 0
    memory = found["memory"]
    compare(row, exact={"arena B": memory["arena_bytes"]})
    if board == "host":
        return
    figures = {"flash B": memory["flash_bytes"], "RAM B": memory["ram_bytes"]}
    figures[found["emulator"].split()[0]] = found["instructions"]["value"]
    if found["cycles"]["value"] is not None:
        figures["cycles"] = pipeline_cycles(found)
    else:
        assert row["cycles"] == UNTOLD
    compare(row, near=figures)


def test_the_counts_of_the_emulators_are_those_of_the_table_of_boards(root: Path) -> None:
    for row in table(root, "docs/emulators.md:`qemu`"):
        for board in row["board"].replace("`", "").split(", "):
            cell = of_boards(root)[board, row["model"].strip("`"), "zig"]
            assert row["`qemu`"] == cell["qemu"], board
            assert row["`unicorn`"] == (cell["unicorn"] if cell["unicorn"] != UNTOLD else "no M55"), board


# -- docs/tflm.md --------------------------------------------------------------------------------------------------

OF_TFLM = ("instructions", "cycles", "arena", "RAM", "flash", "code")


def of_tflm(root: Path) -> dict[tuple[str, str], Row]:
    """Rows by model and runtime; a model is named in the first of its rows."""
    rows, model = {}, ""
    for row in table(root, "docs/tflm.md:runtime"):
        model = row["model"] or model
        rows[FILES.get(model, "digits"), row["runtime"]] = row
    return rows


def test_ratios_beside_tflms_figures(root: Path) -> None:
    rows = of_tflm(root)
    assert len(rows) == 18
    for (model, runtime), row in rows.items():
        for column in OF_TFLM if runtime != "aot" else ():
            value, ratio = row[column].split(" ")
            assert ratio == f"({number(value) / number(rows[model, 'aot'][column]):.1f})", (model, runtime, column)


def test_arenas_beside_tflms(root: Path, plan: Run) -> None:
    for (model, runtime), row in of_tflm(root).items():
        if runtime == "aot" and model != "digits":
            compare(row, exact={"arena": plan(model, "nrf52840dk")["arena_bytes"]})


def test_digits_beside_tflms_is_that_of_the_table_of_boards(root: Path) -> None:
    row, cell = of_tflm(root)["digits", "aot"], of_boards(root)["nrf52840dk", "digits", "gcc"]
    for ours, theirs in (("unicorn", "instructions"), ("cycles", "cycles"), ("flash B", "flash"), ("RAM B", "RAM")):
        assert agrees(row[theirs], number(cell[ours])), theirs
    assert row["arena"] == cell["arena B"]


@pytest.mark.slow
@needs_oracle
@needs_gcc
@pytest.mark.parametrize(
    "model", ["hello_world_int8", "ad01_int8", "kws_ref_model", "vww_96_int8", "pretrainedResnet_quant"]
)
def test_runs_give_the_figures_beside_tflms(model: str, root: Path, shared_models: Path, tmp_path: Path) -> None:
    words = ("bench", shared_models / f"{model}.tflite", "-b", "nrf52840dk", "--runtime", "aot", "--compiler", "gcc")
    outcome = tinyedge(*words, "--samples", "20", "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    (found,) = json.loads(outcome.stdout)["runs"]
    if found["compiler"] not in (root / "docs" / "tflm.md").read_text(encoding="utf-8"):
        pytest.skip(f"the table was made by another compiler than {found['compiler']}")
    row = of_tflm(root)[model, "aot"]
    memory = found["memory"]
    figures = {column: found[column]["value"] for column in ("instructions", "cycles")}
    figures |= {column: memory[f"{column.lower()}_bytes"] for column in ("RAM", "flash", "code")}
    compare(row, near=figures, exact={"arena": memory["arena_bytes"]})
