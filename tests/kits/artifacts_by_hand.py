"""Artifacts made by hand, for whoever looks at artifacts: a plan of two layers, an image, a run, a board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinyedge.artifacts import (
    Buffer,
    Built,
    Figure,
    FirmwareProject,
    Image,
    LayerResult,
    Measured,
    Observer,
    Plan,
    PlannedLayer,
    Prepared,
    QuantizedModel,
    Run,
    Samples,
    SizeTable,
    SymbolSize,
)
from tinyedge.boards import CORES, Board, Memory
from tinyedge.graph.ir import Array, DType, Graph, Operator, Quantization, Tensor
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer


class PlainKernel(Kernel):
    """A kernel that nothing runs."""

    name = "portable/plain"
    operators: ClassVar[tuple[str, ...]] = ("add", "relu")

    def fits(self, layer: Layer, core: Any) -> str:
        return ""

    def cost(self, layer: Layer, core: Any) -> Cost:
        return Cost(1000, 100, 20)

    def emit(self, layer: Layer, core: Any, operands: Operands) -> Code:
        raise NotImplementedError


def tensor(index: int, name: str, shape: tuple[int, ...], dtype: str = "int8") -> Tensor:
    return Tensor(index, name, shape, DType(dtype), Quantization((0.5,), (-3,)))


def graph_with_inputs(*shapes: tuple[int, ...], dtype: str = "int8") -> Graph:
    """A graph of nothing but inputs."""
    tensors = {i: tensor(i, f"input{i}", shape, dtype) for i, shape in enumerate(shapes)}
    return Graph("nothing", tensors, (), tuple(tensors), ())


def plan_of_fake(sizes: tuple[int, ...] = (150,)) -> Plan:
    """The plan of kits.fake_firmware: the inputs added up, then something done to each byte."""
    count = len(sizes)
    inputs = [tensor(i, f"input{i}", (1, size)) for i, size in enumerate(sizes)]
    summed, output = tensor(count, "sum", (1, sizes[0])), tensor(count + 1, "output", (1, sizes[0]))
    operators = (Operator(0, "add", tuple(range(count)), (count,)), Operator(1, "relu", (count,), (count + 1,)))
    graph = Graph(
        "fake", {t.index: t for t in (*inputs, summed, output)}, operators, tuple(range(count)), (count + 1,), "d" * 64
    )
    layers = (
        Layer(operators[0], None, tuple(inputs), (summed,), 0),
        Layer(operators[1], None, (summed,), (output,), 12_000),
    )
    kernel = PlainKernel()
    scratch = Buffer("relu scratch", None, 1024, 512, 1, 1)
    cost = Cost(1000, 100, 20)
    planned = (
        PlannedLayer(layers[0], kernel, cost, (), None),
        PlannedLayer(layers[1], kernel, replace(cost, cycles=12_500), (("other/plain", "20,000 cycles"),), scratch),
    )
    buffers = (
        *(Buffer(t.name, t.index, 512 * i, 512, 0, 0) for i, t in enumerate(inputs)),
        Buffer("sum", count, 1536, 512, 0, 1),
        Buffer("output", count + 1, 0, 512, 1, 1),
        scratch,
    )
    return Plan(graph, planned, buffers, 2048, 1536, "balanced")


def board() -> Board:
    return Board(
        name="test_board",
        title="A board for tests",
        aliases=("tb",),
        chip="nRF52840",
        family="nrf52",
        core=CORES["cortex-m4f"],
        clock_hz=64_000_000,
        memories=(Memory("flash", 0, 1_048_576), Memory("ram", 0x2000_0000, 262_144)),
        flash_start=0x1000,
        console={"kind": "uarte", "base": 0x4000_2000, "baud": 115_200, "tx_pin": "P0.06", "rx_pin": "P0.08"},
        flashers=("pyocd", "openocd"),
        flash_options={},
        emulators=("unicorn",),
        usb_ids=((0x1366, 0x1015),),
        sources={"clock": "the data sheet, 5.4", "memory": "the data sheet, 4.2"},
    )


def size_table() -> SizeTable:
    return SizeTable(
        flash_bytes=31_234,
        ram_bytes=12_345,
        flash_limit_bytes=1_044_480,
        ram_limit_bytes=262_144,
        sections=((".text", 30_000, 0), (".data", 1_234, 1_234), (".bss", 0, 11_111)),
        symbols=tuple(SymbolSize(f"te_symbol_{i}", ".text", 5000 - 300 * i) for i in range(12)),
    )


class NoReference:
    """What nothing is compared with."""

    name = "TensorFlow Lite Micro"
    notes: tuple[str, ...] = ()

    def outputs(self, samples: Sequence[Array], observer: Observer) -> list[Array]:
        raise NotImplementedError


def model() -> QuantizedModel:
    return QuantizedModel(
        name="fake",
        tflite=bytes(4_321),
        digest="d" * 64,
        float_accuracy=0.9833,
        int8_accuracy=0.9806,
        sparsity=0.75,
        samples=(np.zeros((360, 1, 150), np.int8),),
        labels=np.zeros(360, np.int64),
        metrics={"float_accuracy": 0.9833, "parameters": 12_345.0, "train_seconds": 61.25},
    )


def run_result() -> Run:
    return Run(
        samples=360,
        mismatches=0,
        first_mismatch=None,
        device_accuracy=0.9806,
        instructions=Figure("counted", 182_331),
        instructions_spread=(182_300, 182_400),
        cycles=Figure("modelled", 307_991, 5.0),
        cycles_spread=(307_900, 308_100),
        latency_us=Figure("modelled", 4812.359375, 5.0),
        layers=(
            LayerResult(0, "add", (1, 150), 0, 80_000, 107_991, "portable/plain"),
            LayerResult(1, "relu", (1, 150), 12_000, 102_331, 200_000, "portable/plain"),
        ),
        stack_peak_bytes=612,
        outputs=(np.zeros((360, 1, 150), np.int8),),
        emulator="unicorn 2.1.4",
    )


def measured(**changes: Any) -> Measured:
    """A run without mismatches; `changes` replace fields of its Run."""
    folder = Path("build/fake/test_board-zig")
    project = FirmwareProject("fake", board(), "aot", {}, (), (), "link.ld", 2048, "b" * 64)
    image = Image(
        elf=folder / "firmware.elf",
        hex=folder / "firmware.hex",
        bin=folder / "firmware.bin",
        uf2=None,
        size=size_table(),
        compiler="zig 0.17.0",
        project_digest="b" * 64,
        digest="e" * 64,
    )
    plan = plan_of_fake()
    built = Built(Prepared(model(), board(), "aot", plan.graph, plan, plan, NoReference()), project, folder, image)
    return Measured(built, "unicorn 2.1.4", replace(run_result(), **changes), {}, Samples([np.zeros((3, 4), np.int8)]))
