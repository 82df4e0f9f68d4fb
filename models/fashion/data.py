"""x"""
from __future__ import annotations
import gzip
from pathlib import Path
import numpy as np
from tinyedge.train.splits import Splits
NAMES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")

def _idx(path):
    raw = gzip.open(path).read()
    n = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(n)]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n).reshape(shape)

def load(folder, train_images, validation_images, test_images):
    g = lambda k: _idx(Path(folder) / f"{k}-ubyte.gz")
    x, y, tx, ty = g("train-images-idx3"), g("train-labels-idx1"), g("t10k-images-idx3"), g("t10k-labels-idx1")
    f = lambda a: (a / 255).astype(np.float32)[..., None]
    i = lambda a: a.astype(np.int64)
    v = slice(60000 - validation_images, 60000)
    return Splits(f(x[:train_images]), i(y[:train_images]), f(tx[:test_images]), i(ty[:test_images]), f(x[v]), i(y[v]), NAMES)
