"""A kernel of a stream that gets one row wrong: a run names its layer, whatever that does to the layers behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from kits.libraries import planned
from kits.net import Net, weights
from tinyedge.artifacts import FirmwareProject, Image, Mismatch, Run, Samples, Target
from tinyedge.boards import load_board
from tinyedge.build import build_image, make_flags
from tinyedge.emulate.native import NativeEmulator
from tinyedge.generate import generate_project
from tinyedge.generate.joint import PlannedModel
from tinyedge.measure.reference import layer_crcs
from tinyedge.measure.run import run_samples
from tinyedge.measure.session import Session
from tinyedge.ops.reference import run_graph
from tinyedge.plan.addresses import PlacedCall
from tinyedge.plan.stream_kernel import StreamKernel

HOST = load_board("host")
SHAPE = (1, 12, 8, 4)
LAYERS = ("conv_2d", "depthwise_conv_2d", "conv_2d", "add", "conv_2d")
FLIPPED = 0x55


def residual(folder: Path) -> Path:
    """Five layers that run by rows, among them the sum of a residual."""
    made = Net()
    wide = made.conv(made.input(SHAPE), weights(1, 16, 3, 3, 4))
    x = made.conv(wide, weights(2, 1, 3, 3, 16), depthwise=True)
    x = made.add(made.conv(x, weights(3, 16, 1, 1, 16)), wide)
    last = made.conv(x, weights(4, 4, 3, 3, 16), stride=2)
    path = folder / "wrong_row.tflite"
    path.write_bytes(made.builder.build(made.inputs, [last.key]))
    return path


def stream_of(model: PlannedModel) -> StreamKernel:
    (group,) = model.plan.groups
    assert isinstance(group.kernel, StreamKernel)
    assert len(group.kernel.stream.layers) == len(model.plan.layers) == len(LAYERS)
    return group.kernel


def wrong_row(number: int, placed: PlacedCall) -> str:
    """C behind a call: when the input asks for it by its first byte, every byte of the row is another."""
    place = placed.write
    assert place is not None
    where = f"{'(uint8_t *)output' if place.whole else 'strip'} + {place.offset}"
    flip = f"for (int i = 0; i < {place.bytes}; ++i) {{ ({where})[i] ^= {FLIPPED}; }}"
    return f"layer = {placed.call.of}; if (chosen == {placed.call.of} && at == {number}) {{ {flip} }}"


def broken(model: PlannedModel) -> FirmwareProject:
    """The project of a model in which an input whose first byte is n has a row in the middle of layer n wrong."""
    project = generate_project(
        model.plan, model.model, HOST, selftest_crc=model.selftest_crc, make_flags=make_flags(HOST)
    )
    path = f"model/{model.model.name}.c"
    text = project.files[path].decode()
    head = "  uint8_t *target = (uint8_t *)output;\n"
    assert text.count(head) == 1
    text = text.replace(head, f"{head}  const int8_t chosen = *input0;\n")
    calls = stream_of(model).stream.calls
    for layer in range(len(LAYERS)):
        own = [number for number, placed in enumerate(calls) if placed.call.action == "run" and placed.call.of == layer]
        middle = own[len(own) // 2]
        assert f"layer = {layer};" in text
        text = text.replace(f"layer = {layer};", wrong_row(middle, calls[middle]))
    return replace(project, files={**project.files, path: text.encode()})


@dataclass(frozen=True)
class Broken:
    model: PlannedModel
    image: Image

    def run(self, first_byte: int) -> Run:
        graph = self.model.plan.graph
        sample = np.random.default_rng(first_byte).integers(-128, 128, (1, *SHAPE)).astype(np.int8)
        sample[0, 0, 0, 0, 0] = first_byte
        console = NativeEmulator().start(self.image, HOST)
        try:
            session = Session(console)
            session.wait_for_banner()
            return run_samples(
                session,
                Target("native", console, NativeEmulator.counting),
                plan=self.model.plan,
                samples=Samples([sample]),
                expected=[run_graph(graph, [sample[0]])[graph.outputs[0]][np.newaxis]],
                layer_crcs=lambda i: layer_crcs(self.model.plan, [sample[i]]),
                clock_hz=HOST.clock_hz,
            )
        finally:
            console.close()


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    folder = tmp_path_factory.mktemp("wrong_row")
    model = planned(residual(folder), HOST)
    return Broken(model, build_image(broken(model), folder, "zig"))


@pytest.mark.parametrize("layer", range(len(LAYERS)))
def test_the_layer_of_a_wrong_row_is_named(firmware: Broken, layer: int) -> None:
    result = firmware.run(layer)
    assert result.mismatches == 1
    first = result.first_mismatch
    assert isinstance(first, Mismatch)
    assert (first.sample, first.layer, first.operator) == (
        0,
        firmware.model.plan.layers[layer].layer.index,
        LAYERS[layer],
    )


def test_without_a_wrong_row_nothing_differs(firmware: Broken) -> None:
    result = firmware.run(len(LAYERS))
    assert (result.samples, result.mismatches) == (1, 0)
