"""The ONNX operators that are imported, by what they do; each module states its own as `HANDLERS`."""
