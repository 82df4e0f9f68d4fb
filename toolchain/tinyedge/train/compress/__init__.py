"""Compression techniques, one a file: each trains a Keras model further so that it becomes smaller.

A new technique is one file with a frozen dataclass of its settings, and one line here.
"""

from tinyedge.train.compress.contract import Technique
from tinyedge.train.compress.prune import Prune
from tinyedge.train.compress.quantize_aware import QuantizeAware

TECHNIQUES: dict[str, type[Technique]] = {technique.name: technique for technique in (Prune, QuantizeAware)}
"""by the name recipes use"""
