"""ONNX models brought in by an importer of our own: channels first becomes channels last by permuting weights."""

from tinyedge.convert.onnx.front import FRONT

__all__ = ["FRONT"]
