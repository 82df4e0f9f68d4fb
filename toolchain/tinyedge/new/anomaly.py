"""What is not as it was: an autoencoder learns what is normal; how badly it repeats a window says how strange it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from tinyedge.boards import Board
from tinyedge.new.contract import Found, Proposal
from tinyedge.new.motions import csv_files, made_up_motion
from tinyedge.new.shared import data_table, facts_of, fit_table, merged, windows
from tinyedge.new.sizing import Layer, fit_width, scaled

NORMAL = ("normal", "ok", "good", "healthy")
"""names of a class that is what is normal"""
UNKNOWN = "_unknown_"
"""all classes that [data] does not list"""
_CLASSES = ("normal", "anomalous")
_RATE_HZ, _SECONDS = 50, 1
_HIDDEN, _WAIST = 32, 8


class _Anomaly:
    name = "anomaly"
    title = "tells what is strange from what is normal, having learnt the normal alone"
    sort = "motion"
    assumed = Found("motion", (3,), _CLASSES, lengths=(_RATE_HZ * _SECONDS,) * 3, rate_hz=float(_RATE_HZ))
    layout = (
        (
            "normal/*.csv",
            "recordings of what is normal, one a file: a line of names (timestamp,ax,ay,az), then numbers",
        ),
        ("anomalous/*.csv", "a few of what is not: they are for the test alone"),
    )

    def propose(self, found: Found | None, board: Board) -> Proposal:
        assert found is not None
        found = replace(found, classes=_normal_first(found.classes), counts=())
        window, cut, why = windows(found)
        values_in = window * found.axes
        width, size = fit_width(
            lambda width: [
                Layer(1, 1, before, after)
                for before, after in (
                    (values_in, scaled(_HIDDEN, width)),
                    (scaled(_HIDDEN, width), scaled(_WAIST, width)),
                    (scaled(_WAIST, width), scaled(_HIDDEN, width)),
                    (scaled(_HIDDEN, width), values_in),
                )
            ],
            board,
        )
        data, fit = data_table(found), fit_table(found, 60, 0.003)
        values, reasons = merged(
            ({"data": data[0] | cut}, data[1] | why),
            ({"fit": fit[0]}, {}),
            ({"anomaly": {"false_alarms": 0.05}}, {"anomaly": "it moves the threshold between alarms and misses"}),
        )
        reasons["data.classes"] = "the first is what is normal"
        return Proposal(
            "what is strange, told from what is normal",
            {"task": "anomaly", **values},
            reasons,
            {"hidden": scaled(_HIDDEN, width), "waist": scaled(_WAIST, width)},
            (*facts_of(found, f"recordings of {found.axes} axes"), ("network", f"an autoencoder: {size}")),
        )

    def example(self) -> Mapping[PurePosixPath, bytes]:
        random = np.random.default_rng(2)
        files: dict[PurePosixPath, bytes] = {}
        for name, count in zip(_CLASSES, (40, 12), strict=True):
            for take in range(count):
                motion = made_up_motion(name, _RATE_HZ, _SECONDS, random)
                files |= csv_files(f"{name}/{take:02}.csv", motion, _RATE_HZ)
        return files


def _normal_first(classes: tuple[str, ...]) -> tuple[str, ...]:
    """What is normal, and what is not: `_unknown_` stands for several classes.

    >>> _normal_first(("broken", "normal")), _normal_first(("idle", "left", "right"))
    (('normal', 'broken'), ('idle', '_unknown_'))
    """
    normal = next((name for name in classes if name.lower() in NORMAL), classes[0])
    others = [name for name in classes if name != normal]
    return normal, others[0] if len(others) == 1 else UNKNOWN


TEMPLATE = _Anomaly()
