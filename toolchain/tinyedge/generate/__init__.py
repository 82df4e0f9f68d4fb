"""Firmware projects: files from templates and from what the kernels emit."""

from tinyedge.generate.project import generate_project

__all__ = ["generate_project"]
