"""Firmware projects: files from templates and from what the kernels emit."""

from tinyedge.generate.project import generate_arena_probe, generate_project, generate_tflm_project
from tinyedge.generate.tflm import generate_tflm, registrations

__all__ = ["generate_arena_probe", "generate_project", "generate_tflm", "generate_tflm_project", "registrations"]
