"""Handwritten digits: a project that brings its data, to see every stage before there are any of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from tinyedge.boards import Board
from tinyedge.new.contract import Found, Proposal


class _Digits:
    name = "digits"
    title = "tells handwritten digits apart: real data that scikit-learn carries"
    sort = None
    assumed = None
    layout = ()

    def propose(self, found: Found | None, board: Board) -> Proposal:
        values = {
            "task": "classification",
            "data": {"split_seed": 0, "shifted_copies": True},
            "fit": {"epochs": 10, "batch_size": 32, "learning_rate": 0.003},
            "compress": [
                {"technique": "prune", "sparsity": 0.75, "epochs": 20, "learning_rate": 0.002},
                {"technique": "quantize_aware", "epochs": 3, "learning_rate": 0.0003},
            ],
        }
        reasons = {
            "data.shifted_copies": "each image also moved by one pixel in the four directions",
            "compress": "three quarters of the weights become zero, and channels that are left without any go",
        }
        facts = (("data", "scikit-learn's 1,797 images of 8x8 pixels"), ("classes", "0 to 9"))
        return Proposal("handwritten digits of 8x8 pixels", values, reasons, {}, facts)

    def example(self) -> Mapping[PurePosixPath, bytes]:
        return {}


TEMPLATE = _Digits()
