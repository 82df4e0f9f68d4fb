"""The frozen artifacts that pass between stages and to reports, each once; the digests name what one was made from."""

from tinyedge.artifacts.calibration import BoardCalibration, PredictedNetwork
from tinyedge.artifacts.conversion import Conversion, LayerNoise
from tinyedge.artifacts.image import ArenaProof, Built, Image, SizeTable, SymbolSize
from tinyedge.artifacts.library import CLibrary, LibraryModel
from tinyedge.artifacts.model import QuantizedModel, check_name
from tinyedge.artifacts.observer import Observer, Progress, Silence
from tinyedge.artifacts.plan import (
    Buffer,
    NamedKernel,
    Optimize,
    Plan,
    PlannedLayer,
    Prepared,
    Program,
    ProgramLayer,
    Protocols,
    Reference,
    Schedule,
    ScheduledLayer,
)
from tinyedge.artifacts.project import FirmwareProject, Library
from tinyedge.artifacts.run import (
    Counting,
    Figure,
    Flashed,
    FlashPlan,
    FlashReads,
    Hello,
    Kind,
    LayerResult,
    Measured,
    Mismatch,
    Run,
    Samples,
    Target,
)

__all__ = [
    "ArenaProof",
    "BoardCalibration",
    "Buffer",
    "Built",
    "CLibrary",
    "Conversion",
    "Counting",
    "Figure",
    "FirmwareProject",
    "FlashPlan",
    "FlashReads",
    "Flashed",
    "Hello",
    "Image",
    "Kind",
    "LayerNoise",
    "LayerResult",
    "Library",
    "LibraryModel",
    "Measured",
    "Mismatch",
    "NamedKernel",
    "Observer",
    "Optimize",
    "Plan",
    "PlannedLayer",
    "PredictedNetwork",
    "Prepared",
    "Program",
    "ProgramLayer",
    "Progress",
    "Protocols",
    "QuantizedModel",
    "Reference",
    "Run",
    "Samples",
    "Schedule",
    "ScheduledLayer",
    "Silence",
    "SizeTable",
    "SymbolSize",
    "Target",
    "check_name",
]
