"""svdf on DSP cores: exact for all states, ranks and sizes, as cheap as it says."""

from __future__ import annotations

from pathlib import Path

from kits.kernel_checks import M4, ON_M4, model_layers, rng_for
from ops.svdf import LAYERS
from tinyedge.kernels.armv7em.svdf import SvdfRows

SVDF = SvdfRows()


def test_is_exact(tmp_path: Path) -> None:
    rng = rng_for("svdf")
    layers = [LAYERS["svdf"](rng) for _ in range(150)]
    ON_M4.check_kernel(SVDF, ON_M4.fitting(SVDF, layers, 25), tmp_path, rng)


def test_layers_of_a_model(shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, "keyword_scrambled_8bit", "svdf")
    rng = rng_for("keyword")
    ON_M4.check_kernel(SVDF, ON_M4.fitting(SVDF, layers, 7), tmp_path / "exact", rng)
    counted = ON_M4.check_costs(SVDF, layers, tmp_path / "costs", rng, percent=4)
    for layer, found in zip(layers, counted, strict=True):
        assert abs(SVDF.cost(layer, M4).instructions - found.instructions) < 40
    ON_M4.check_code_bytes(SVDF, layers[:2], tmp_path / "code")
    assert sum(found.instructions for found in counted) / sum(layer.macs for layer in layers) < 2.3
