"""Compression techniques, one a file: each trains a Keras model further so that it becomes smaller.

A new technique is one file with a frozen dataclass of its settings, which it names as its TECHNIQUE.
"""

from tinyedge.discovery import collect
from tinyedge.train.compress.contract import Technique

TECHNIQUES: dict[str, type[Technique]] = {technique.name: technique for technique in collect(__name__, "TECHNIQUE")}
"""by the name recipes use"""
