"""How long a firmware may take to say its banner: the inference of its self-test comes before it."""

from __future__ import annotations

import math

from tinyedge.artifacts import PlannedLayer, Schedule
from tinyedge.measure.session import BANNER_TIMEOUT_S

_CYCLES_PER_MAC, _CYCLES_PER_ELEMENT = 80, 400
"""more than the reference kernels of TensorFlow Lite Micro take, which are the slowest that run"""
_EMULATED_HZ = 4_000_000
"""what the slowest emulator does a second on a computer that does other things too"""
_SLOWER = 4
"""how much longer a board may take than predicted, for its flash's wait states and what a model leaves out"""
_LONGEST_S = 3600.0


def banner_timeout_s(schedule: Schedule, clock_hz: int, *, emulated: bool) -> float:
    """How long to wait for the banner of a firmware that runs `schedule`, on a board or in an emulator of one."""
    hz = _EMULATED_HZ if emulated else clock_hz
    return min(BANNER_TIMEOUT_S + _SLOWER * predicted_cycles(schedule) / max(hz, 1), _LONGEST_S)


def predicted_cycles(schedule: Schedule) -> int:
    """What one inference takes at most: by the costs of the kernels that were chosen, where they are known."""
    total = 0
    for scheduled in schedule.layers:
        if isinstance(scheduled, PlannedLayer):
            total += scheduled.cost.cycles
            continue
        layer = scheduled.layer
        elements = sum(math.prod(tensor.shape) for tensor in (*layer.inputs, *layer.outputs))
        total += layer.macs * _CYCLES_PER_MAC + elements * _CYCLES_PER_ELEMENT
    return total
