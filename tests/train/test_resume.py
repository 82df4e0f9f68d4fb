"""A training that is killed, and goes on: in each stage, and with everything that draws random numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kits.recipes import needs_tensorflow, write_recipe
from tinyedge.errors import ToolError
from tinyedge.train import load_recipe, train_model
from tinyedge.train.store import METRICS

RECIPE = """\
seed = 5

[fit]
epochs = 5
batch_size = 32
learning_rate = 0.01
warm_up = 0.2
label_smoothing = 0.1
class_weights = "balanced"
early_stopping = 4

[[augment]]
technique = "shift"
axes = [0, 1]
most = 1

[[augment]]
technique = "noise"
deviation = 0.05

[[compress]]
technique = "prune"
sparsity = 0.5
epochs = 3
learning_rate = 0.01

[[compress]]
technique = "quantize_aware"
epochs = 3
"""
MODEL = """\
def build(input_shape, classes):
    from tf_keras import Input, Sequential, layers

    return Sequential(
        [
            Input(input_shape),
            layers.RandomFlip("horizontal"),
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv"),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(classes, activation="softmax", name="classes"),
        ]
    )
"""
DATA = """\
import os
import signal
from pathlib import Path

import numpy as np

from tinyedge.train import checkpoint
from tinyedge.train.splits import Splits

checkpoint.EVERY_S = 0.0
_save = checkpoint.Keeper.save


def _fall_or_save(self, stage, model, progressed):
    plan = Path("{plan}")
    if plan.read_text() == f"{{stage}} {{progressed.epoch}}":
        os.kill(os.getpid(), signal.SIGKILL)
    _save(self, stage, model, progressed)


checkpoint.Keeper.save = _fall_or_save


def load():
    random = np.random.default_rng(7)
    classes = (random.random(256) < 0.3).astype(int)
    images = random.normal(0, 0.5, (256, 6, 6, 1)).astype(np.float32)
    images[:, :2] += classes[:, None, None, None]
    x, y = (lambda rows: images[rows]), (lambda rows: classes[rows])
    train, validation, test = slice(0, 160), slice(160, 200), slice(200, 256)
    return Splits(x(train), y(train), x(test), y(test), x(validation), y(validation), class_names=("low", "high"))
"""


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_a_training_that_is_killed_in_each_stage_gives_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    folder = write_recipe(tmp_path / "clouds", recipe=RECIPE, model=MODEL, data=DATA.format(plan=plan))
    recipe = load_recipe(folder)
    plan.write_text("")
    whole = train_model(recipe, tmp_path / "whole" / "trained")
    notes: list[str] = []
    for stage, epoch in (("fit", 3), ("quantize_aware", 3)):
        plan.write_text(f"{stage} {epoch}")
        with pytest.raises(ToolError, match=f"broke off in stage `{stage}`"):
            train_model(recipe, tmp_path / "broken" / "trained", note=notes.append)
        kept = {path.suffixes[-2] for path in (tmp_path / "broken" / "float").glob("*.epoch")}
        assert f".{stage}" in kept
    plan.write_text("")
    again = train_model(recipe, tmp_path / "broken" / "trained", note=notes.append)
    assert again.digest == whole.digest
    assert "`quantize_aware` goes on after epoch 2 of 3, which was kept" in notes
    assert any(note.startswith("`fit` keeps epoch") for note in notes)
    assert not list((tmp_path / "broken" / "float").glob("*.epoch"))
    told = [json.loads((tmp_path / name / "trained" / METRICS).read_text()) for name in ("whole", "broken")]
    assert told[0]["epochs"] == told[1]["epochs"]
    stages = [row["stage"] for row in told[0]["epochs"]]
    assert stages == sorted(stages, key=["fit", "prune", "quantize_aware"].index)
    assert {"fit", "prune", "quantize_aware"} == set(stages)
    assert all({"loss", "validation_loss", "validation_accuracy"} <= set(row) for row in told[0]["epochs"])
    assert again.class_names == ("low", "high")
