"""Whatever else: rows of numbers, each a sample, with a class or a value; a small dense network to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np

from tinyedge.boards import Board
from tinyedge.new.contract import Found, Proposal
from tinyedge.new.shared import data_table, facts_of, fit_table, merged
from tinyedge.new.sizing import Layer, fit_width, scaled

_HIDDEN = (32, 16)
_COLUMNS = ("a", "b", "c", "d")
_CLASSES = ("inside", "outside")


class _Blank:
    name = "blank"
    title = "starts from rows of numbers, with a small dense network"
    sort = None
    assumed = Found("table", (len(_COLUMNS),), _CLASSES, source="data/samples.csv", table={"labels": "label"})
    layout = (("samples.csv", "a row for each sample: columns of numbers, and a column `label` with its class"),)

    def propose(self, found: Found | None, board: Board) -> Proposal:
        assert found is not None
        columns = int(np.prod(found.shape))
        outputs = len(found.classes) or found.outputs
        width, size = fit_width(
            lambda width: [
                Layer(1, 1, before, after)
                for before, after in (
                    (columns, scaled(_HIDDEN[0], width)),
                    (scaled(_HIDDEN[0], width), scaled(_HIDDEN[1], width)),
                    (scaled(_HIDDEN[1], width), outputs),
                )
            ],
            board,
        )
        data, fit = data_table(found), fit_table(found, 60, 0.003)
        task = "classification" if found.classes else "regression"
        values, reasons = merged(({"data": data[0]}, data[1]), ({"fit": fit[0]}, fit[1]))
        reasons["task"] = "the labels are classes" if found.classes else "the labels are numbers that are no classes"
        what = f"samples of {' x '.join(map(str, found.shape))} values"
        return Proposal(
            "samples, told apart" if found.classes else "a value of each sample",
            {"task": task, **values},
            reasons,
            {"hidden": [scaled(each, width) for each in _HIDDEN], "classes": bool(found.classes), "outputs": outputs},
            (*facts_of(found, what), ("network", f"dense layers: {size}")),
        )

    def example(self) -> Mapping[PurePosixPath, bytes]:
        random = np.random.default_rng(4)
        points = random.normal(0, 1, (240, len(_COLUMNS)))
        inside = np.sum(points**2, axis=1) < len(_COLUMNS)
        lines = [",".join((*_COLUMNS, "label"))]
        lines += [
            ",".join(f"{value:.4f}" for value in point) + f",{_CLASSES[0 if within else 1]}"
            for point, within in zip(points, inside, strict=True)
        ]
        return {PurePosixPath("samples.csv"): ("\n".join(lines) + "\n").encode()}


TEMPLATE = _Blank()
