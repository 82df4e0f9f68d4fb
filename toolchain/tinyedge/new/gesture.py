"""Gestures, activities, vibrations: axes over time, one class for each window."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np

from tinyedge.boards import Board
from tinyedge.new.contract import Found, Proposal
from tinyedge.new.motions import csv_files, made_up_motion
from tinyedge.new.shared import data_table, facts_of, fit_table, merged, windows
from tinyedge.new.sizing import chain, fit_width, scaled

_STEPS = ((16, 2), (24, 2), (32, 2), (48, 1))
"""(channels, stride) of the convolutions"""
_CLASSES = ("circle", "idle", "shake")
_RATE_HZ, _SECONDS = 50, 2
_SUBJECTS = ("anna", "ben", "cleo", "dora", "emil", "fred")


class _Gesture:
    name = "gesture"
    title = "tells movements apart, by the axes of a motion sensor"
    sort = "motion"
    assumed = Found(
        "motion",
        (3,),
        _CLASSES,
        lengths=(_RATE_HZ * _SECONDS,) * 3,
        rate_hz=float(_RATE_HZ),
        group=r"([a-z]+)_[0-9]+\.csv$",
        subjects=len(_SUBJECTS),
    )
    layout = tuple(
        (f"{name}/*.csv", f"recordings of `{name}`, one a file: a line of names (timestamp,ax,ay,az), then numbers")
        for name in _CLASSES
    )

    def propose(self, found: Found | None, board: Board) -> Proposal:
        assert found is not None
        window, cut, why = windows(found)
        axes = found.axes
        width, size = fit_width(
            lambda width: chain(
                window,
                1,
                axes,
                [(scaled(outputs, width), (5, 1), (stride, 1)) for outputs, stride in _STEPS],
                max(2, len(found.classes)),
            ),
            board,
        )
        data, fit = data_table(found), fit_table(found, 40, 0.003)
        values, reasons = merged(
            ({"data": data[0] | cut}, data[1] | why),
            ({"fit": fit[0]}, fit[1]),
            (
                {"augment": [{"technique": "shift", "most": max(1, window // 10)}]},
                {"augment.shift.most": "a tenth of the window: nobody starts a movement at the same moment twice"},
            ),
        )
        if axes == 3:
            values["augment"].append({"technique": "rotate_axes", "deviation_rad": 0.2})
            reasons["augment.rotate_axes.deviation_rad"] = "the sensor is never held the same way twice; leave it out "
            reasons["augment.rotate_axes.deviation_rad"] += "where it is screwed on"
        return Proposal(
            "movements, told apart by a motion sensor",
            {"task": "classification", **values},
            reasons,
            {"channels": [scaled(outputs, width) for outputs, _ in _STEPS], "strides": [s for _, s in _STEPS]},
            (*facts_of(found, f"recordings of {axes} axes"), ("network", f"convolutions over time: {size}")),
        )

    def example(self) -> Mapping[PurePosixPath, bytes]:
        random = np.random.default_rng(1)
        files: dict[PurePosixPath, bytes] = {}
        for name in _CLASSES:
            for subject in _SUBJECTS:
                for take in (1, 2, 3):
                    motion = made_up_motion(name, _RATE_HZ, _SECONDS, random)
                    files |= csv_files(f"{name}/{subject}_{take}.csv", motion, _RATE_HZ)
        return files


TEMPLATE = _Gesture()
