"""Recordings of what a board sends: lines of numbers or checked frames, as the files that recipes read."""

from tinyedge.collect.contract import BrokenCollectError, Collected, CollectSettings, Recording
from tinyedge.collect.session import collect, look

__all__ = ["BrokenCollectError", "CollectSettings", "Collected", "Recording", "collect", "look"]
