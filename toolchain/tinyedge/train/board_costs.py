"""What a Keras model would take on a board, predicted from its plan: no training, no compiler, no emulator."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyedge.artifacts import Optimize
from tinyedge.boards import load_board
from tinyedge.cost.predict import predict
from tinyedge.cost.rates import base_of, has_rates
from tinyedge.errors import UsageError
from tinyedge.graph.reader import read_model
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan
from tinyedge.train.convert import convert_model

_SAMPLES = 4
"""drawn at random, which calibrate: what code costs hardly depends on ranges"""
_COMPILER = "zig"
_OPTIMIZE: Optimize = "balanced"


@dataclass(frozen=True)
class BoardCosts:
    """Predicted, of one inference and of the image."""

    instructions: int
    flash_bytes: int
    ram_bytes: int


def board_costs(model: Any, board_name: str) -> BoardCosts:
    """Of the model in int8, by code for `balanced`.

    Raises: UsageError when nothing is predicted for the board; ModelError when the model does not run
    """
    board = _known_board(board_name)
    random = np.random.default_rng(0)
    inputs = [
        random.normal(size=(_SAMPLES, *tensor.shape[1:])).astype(np.float32)
        if tensor.dtype.is_floating
        else np.zeros((_SAMPLES, *tensor.shape[1:]), np.int32)
        for tensor in model.inputs
    ]
    graph = optimize_graph(settle_graph(read_model(convert_model(model, inputs, _SAMPLES), "candidate")))
    found = predict(make_plan(graph, board.core, _OPTIMIZE), board, _COMPILER)
    assert found.flash_bytes is not None
    assert found.ram_bytes is not None
    return BoardCosts(found.instructions, found.flash_bytes, found.ram_bytes)


@functools.cache
def _known_board(name: str) -> Any:
    board = load_board(name)
    if not has_rates(board.core.name, _COMPILER) or base_of(board.name, _COMPILER) is None:
        raise UsageError(
            f"nothing is predicted for board `{board.name}`: no firmware of it was measured",
            hint="`tinyedge fit` lists the boards that are known",
        )
    return board
