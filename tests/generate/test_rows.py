"""A library whose input is given row by row: exact, again and again, in memory of the caller too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kits.cli import tinyedge
from kits.libraries import build_program, library_of, planned, run, write_files
from kits.net import Net, weights
from tinyedge.boards import load_board
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops.reference import run_graph
from tinyedge.plan import make_plan

HOST = load_board("host")
SAMPLES = 3

_MAIN = """
#include <stdio.h>
#include <string.h>
#include "rows_net.h"
#include "rows_net_selftest.h"
static const int8_t images[] = {{{images}}};
static const int8_t wanted[] = {{{wanted}}};
static uint8_t arena[ROWS_NET_ARENA_BYTES] __attribute__((aligned(ROWS_NET_ARENA_ALIGNMENT)));
int main(void) {{
  int early = 0, wrong = 0;
  const int8_t *row = images;
  printf("%d", rows_net_selftest());
  rows_net_begin_in(arena);
  for (int i = 0; i < {samples}; ++i) {{
    for (int y = 0; y < ROWS_NET_INPUT_ROWS; ++y, row += ROWS_NET_INPUT_ROW_BYTES) {{
      const int last = y == ROWS_NET_INPUT_ROWS - 1;
      early += rows_net_push_row(row) != last;
      early += rows_net_push_row_in(arena, row) != last;
    }}
    const int8_t *right = wanted + i * ROWS_NET_OUTPUT_BYTES;
    wrong += memcmp(rows_net_output(0), right, ROWS_NET_OUTPUT_BYTES) != 0;
    wrong += memcmp(rows_net_output_in(arena, 0), right, ROWS_NET_OUTPUT_BYTES) != 0;
  }}
  printf(" %d %d %d\\n", early, wrong, rows_net_push_row_in(0, images));
  return 0;
}}
"""


def net(columns: int = 8) -> Net:
    made = Net()
    x = made.conv(made.input((1, 12, columns, 3)), weights(1, 8, 3, 3, 3), stride=2)
    x = made.conv(x, weights(2, 1, 3, 3, 8), depthwise=True)
    made.last = made.fully_connected(made.mean(made.relu(x)), weights(3, 4, 8))  # type: ignore[attr-defined]
    return made


def file_of(folder: Path, name: str = "rows_net", columns: int = 8) -> Path:
    made = net(columns)
    path = folder / f"{name}.tflite"
    path.write_bytes(made.builder.build(made.inputs, [made.last.key]))  # type: ignore[attr-defined]
    return path


def listed(arrays: list[np.ndarray[tuple[int, ...], np.dtype[np.int8]]]) -> str:
    return ", ".join(str(value) for array in arrays for value in array.reshape(-1).tolist())


def test_rows_give_what_the_whole_image_gives(tmp_path: Path) -> None:
    model = planned(file_of(tmp_path), HOST, input_rows=True)
    rng = np.random.default_rng(1)
    graph = read_model(model.model.tflite, "rows_net")
    images = [rng.integers(-128, 128, (1, 12, 8, 3)).astype(np.int8) for _ in range(SAMPLES)]
    wanted = [run_graph(graph, [image])[graph.outputs[0]] for image in images]
    library = library_of([model])
    main = _MAIN.format(images=listed(images), wanted=listed(wanted), samples=SAMPLES)
    assert run([build_program(write_files(library, tmp_path), main, library)], tmp_path) == "1 0 0 -1\n"
    assert "rows_net_invoke" not in library.files["rows_net.h"].decode()
    assert model.plan.graph.inputs[0] not in {buffer.tensor for buffer in model.plan.buffers}


@pytest.mark.slow
def test_models_that_share_an_arena_each_take_their_rows(tmp_path: Path) -> None:
    """The large one leaves its rows where the small one kept how far its stream had come."""
    first, second = file_of(tmp_path, "large", 24), file_of(tmp_path, "small")
    words = ("run", first, second, "--board", "host", "--input", "rows", "--samples", "3", "--json")
    outcome = tinyedge(*words, cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    models = json.loads(outcome.stdout)["runs"]
    assert [(each["verify"]["samples"], each["verify"]["mismatches"]) for each in models] == [(3, 0)] * 2


def refused(graph: Graph) -> str:
    with pytest.raises(ModelError) as caught:
        make_plan(graph, HOST.core, "balanced", input_rows=True)
    return caught.value.what


def test_what_cannot_take_rows_says_why() -> None:
    made = Net()
    first, second = made.input((1, 4, 4, 2)), made.input((1, 4, 4, 2))
    assert "it has 2 inputs" in refused(made.graph(made.add(first, second)))
    made = Net()
    assert "do not run row by row" in refused(made.graph(made.fully_connected(made.input((1, 8)), weights(1, 4, 8))))
