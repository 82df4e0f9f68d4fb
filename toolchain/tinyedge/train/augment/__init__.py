"""Augmentation techniques, one a file: each makes other samples of the training's, anew in every epoch.

A new technique is one file with a frozen dataclass of its settings, which it names as its TECHNIQUE.
"""

from tinyedge.discovery import collect
from tinyedge.train.augment.contract import Augmentation

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    technique.name: technique for technique in collect(__name__, "TECHNIQUE")
}
"""by the name recipes use"""
