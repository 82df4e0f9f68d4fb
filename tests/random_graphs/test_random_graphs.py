"""Random small networks over all operators, from the file to C on an emulated core, against TensorFlow Lite Micro.

TINYEDGE_SEED=n          another set of networks; the seed is printed when one fails
TINYEDGE_RANDOM_GRAPHS=n so many networks in the slow test
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from kits import graph_checks
from kits.graph_checks import SAMPLES, blamed, check_models, check_stored
from kits.operators import NODES
from kits.random_graph import CARDS, RUN, draw, random_model
from tinyedge.measure.oracle import oracle_available
from tinyedge.ops import OPERATORS
from tinyedge.ops.reference import initial_state, run_graph

SEED = int(os.environ.get("TINYEDGE_SEED", "1"))
SLOW_GRAPHS = int(os.environ.get("TINYEDGE_RANDOM_GRAPHS", "100"))
FAST_GRAPHS = 15

needs_oracle = pytest.mark.skipif(
    not oracle_available(), reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)"
)


def test_every_operator_has_an_entry() -> None:
    missing = sorted(set(OPERATORS) - set(NODES))
    assert not missing, f"random graphs hold no {', '.join(missing)}: add an entry to NODES of a file in tests/ops"
    unknown = sorted(set(NODES) - set(OPERATORS))
    assert not unknown, f"NODES in tests/ops hold {', '.join(unknown)}, which tinyedge does not run"


@pytest.mark.parametrize("operator", sorted(set(NODES) & set(OPERATORS)))
def test_entries_draw_what_is_accepted(operator: str) -> None:
    refused = []
    for number in range(12):
        model = draw(SEED, number, [operator], further=0)
        assert operator in model.operators
        refused += model.refused
    assert len(refused) <= 4, f"{len(refused)} refusals for 12 networks, e.g.\n" + "\n".join(refused[:3])


def test_the_same_number_gives_the_same_network() -> None:
    assert random_model(SEED, 3).tflite == random_model(SEED, 3).tflite
    assert random_model(SEED, 3).tflite != random_model(SEED + 1, 3).tflite


def test_all_operators_are_dealt_and_networks_are_varied() -> None:
    """Tensors used twice, several inputs and outputs, and outputs that tell their inputs apart."""
    cards = set(OPERATORS) & set(NODES) & RUN
    models = [random_model(SEED, number) for number in range(-(-len(cards) // CARDS) + 12)]
    assert cards <= {name for model in models for name in model.operators}
    graphs = [model.graph for model in models]
    assert any(len(graph.inputs) > 2 for graph in graphs)
    assert any(len(graph.outputs) > 2 for graph in graphs)
    assert any(len(graph.consumers(key)) > 2 for graph in graphs for key in graph.tensors)
    constant, count = 0, 0
    for model in models:
        rows, state = model.samples(SAMPLES), initial_state(model.graph)
        values = [run_graph(model.graph, row, state=state) for row in rows]
        for key in model.graph.outputs:
            column = np.stack([value[key] for value in values]).astype(np.float64)
            constant += bool(column[0].size > 3 and np.ptp(column) == 0)
            count += column[0].size > 3
    assert constant < count / 4, f"{constant} of {count} outputs of random networks are constant: they test nothing"


def _check(count: int, every: int, folder: Path, root: Path, *, others: bool = False) -> None:
    models = [random_model(SEED, number) for number in range(count)]
    failures = check_models(models, folder, every=every, others=others)
    if failures:
        texts = "\n".join(failure.save(root / "build" / "random_graphs") for failure in failures)
        where = "\n".join(f"  {what}: {', '.join(titles)}" for what, titles in blamed(failures).items())
        pytest.fail(f"{len(failures)} of {count} networks of seed {SEED} fail:\n{texts}\nto blame first:\n{where}")


@needs_oracle
def test_random_graphs(tmp_path: Path, root: Path) -> None:
    _check(FAST_GRAPHS, 2, tmp_path, root)


@needs_oracle
@pytest.mark.slow
def test_many_random_graphs(tmp_path: Path, root: Path) -> None:
    _check(SLOW_GRAPHS, 4, tmp_path, root, others=True)


@needs_oracle
@pytest.mark.slow
def test_weights_in_fewer_bytes(tmp_path: Path) -> None:
    """Networks of convolutions whose weights can be stored in some form, and are."""
    failures, forms = check_stored([draw(SEED, n, ["conv_2d"] * 5, further=0) for n in range(20)], tmp_path)
    assert not failures, failures
    everywhere = {"int4", "16 values", "8 values", "4 values", "bitmap"}
    assert forms["cortex-m4f"] >= {*everywhere, "int2", "nonzeros"} - {"bitmap"}
    assert forms["cortex-m0plus"] >= everywhere
    assert forms["rv32imc"] >= everywhere


@needs_oracle
def test_a_wrong_result_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One value off by one in what the interpreter says must be laid to an operator."""
    right = graph_checks.run_oracle_batch

    def wrong(models: object, folder: Path) -> object:
        answers = right(models, folder)  # type: ignore[arg-type]
        if folder.name.startswith("oracle"):
            for answer in answers:
                assert not isinstance(answer, str), answer
                first = answer[0][0].copy()
                first.flat[0] ^= 1
                answer[0] = (first, *answer[0][1:])
        return answers

    monkeypatch.setattr(graph_checks, "run_oracle_batch", wrong)
    failures = check_models([draw(SEED, 0, ["conv_2d"], further=0)], tmp_path)
    assert [failure.stage for failure in failures] == ["reference differs from tflite-micro"]
    assert "1 of" in failures[0].detail
    assert "seed" in failures[0].save(tmp_path / "saved")
    assert len(list((tmp_path / "saved").iterdir())) == 2
