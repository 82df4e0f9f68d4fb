"""Firmware projects: files from templates and from what the kernels emit."""

from tinyedge.generate.project import assemble_project, generate_project

__all__ = ["assemble_project", "generate_project"]
