"""A calibration for people, as a document, and as the file that other commands take."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from tinyedge.artifacts import BoardCalibration
from tinyedge.report.table import Cell, render_table


def render_calibration(found: BoardCalibration) -> str:
    """The constants, and each network predicted by the others."""
    constants = found.calibration
    rows: list[tuple[Cell, ...]] = [
        (
            network.name,
            round(network.measured_cycles),
            round(network.predicted_cycles),
            f"{100 * network.error:+.1f} %",
            f"{100 * (network.pipeline_cycles / network.measured_cycles - 1):+.1f} %",
        )
        for network in found.networks
    ]
    table = render_table(("network", "measured cycles", "predicted", "error", "pipeline alone"), rows)
    return (
        f"{found.board.name}: {constants.code_miss_cycles:.2f} cycles for a miss of code, "
        f"{constants.data_miss_cycles:.2f} for one of data, from {found.layers} layers\n\n{table}\n\n"
        f"largest error {constants.error_percent:g} %, mean {constants.mean_error_percent:g} %, each network predicted "
        "by the others\n"
    )


def calibration_document(found: BoardCalibration) -> dict[str, Any]:
    """`tinyedge.calibration/1`: the same."""
    return {
        "schema": "tinyedge.calibration/1",
        "board": found.board.name,
        "layers": found.layers,
        "calibration": dataclasses.asdict(found.calibration),
        "networks": [
            {
                "name": network.name,
                "measured_cycles": network.measured_cycles,
                "predicted_cycles": network.predicted_cycles,
                "pipeline_cycles": network.pipeline_cycles,
                "error": network.error,
            }
            for network in found.networks
        ],
    }


def calibration_file(found: BoardCalibration) -> str:
    """TOML: the table [calibration] of a board file, and whose it is."""
    values = {key: value for key, value in dataclasses.asdict(found.calibration).items() if value is not None}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f'board = "{found.board.name}"', "", "[calibration]", *lines]) + "\n"
