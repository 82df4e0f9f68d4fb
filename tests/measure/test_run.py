"""Whole runs over a firmware in Python: verification, medians, the table of layers, partial results."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from kits.artifacts_by_hand import plan_of_fake
from kits.fake_firmware import LAYER_TICKS, TICKS, FakeConsole, FakeFirmware, fake_layers
from tinyedge.artifacts import Counting, Figure, Mismatch, Plan, Run, Samples, Target
from tinyedge.artifacts.model import Labelled
from tinyedge.console.contract import CounterReading
from tinyedge.errors import DeviceError
from tinyedge.measure.answers import accuracy
from tinyedge.measure.run import RunFailedError, run_samples
from tinyedge.measure.session import Session

SAMPLES = np.random.default_rng(5).integers(-128, 128, (6, 1, 150)).astype(np.int8)
EXPECTED = np.stack([np.frombuffer(fake_layers([s.tobytes()])[1], np.int8).reshape(1, 150) for s in SAMPLES])


def reference_crcs(i: int) -> list[int]:
    return [zlib.crc32(layer) for layer in fake_layers([SAMPLES[i].tobytes()])]


def run(
    firmware: FakeFirmware,
    *,
    readings: Callable[[], list[CounterReading]] | None = None,
    counting: Counting = Counting("cycles", error_percent=5.0),  # noqa: B008 - frozen
    console: FakeConsole | None = None,
    **options: Any,
) -> Run:
    console = console or FakeConsole(firmware)
    session = Session(console, clock=console.clock)
    session.wait_for_banner()
    chosen: dict[str, Any] = {
        "plan": plan_of_fake(),
        "samples": Samples([SAMPLES]),
        "expected": [EXPECTED],
        "layer_crcs": reference_crcs,
        "clock_hz": 64_000_000,
    }
    console.counter_readings = readings or firmware.take_readings  # type: ignore[method-assign]
    return run_samples(session, Target("fake 1.0", console, counting), **(chosen | options))


def broken_at(sample: int, byte: int) -> Callable[[bytes], bytes]:
    """A kernel that gets one byte of one sample wrong."""
    right = EXPECTED[sample].tobytes()
    return lambda output: output[:byte] + bytes([output[byte] ^ 1]) + output[byte + 1 :] if output == right else output


def test_a_good_run() -> None:
    steps: list[tuple[int, int]] = []
    result = run(FakeFirmware(), progress=lambda done, total: steps.append((done, total)))
    assert (result.samples, result.mismatches, result.first_mismatch) == (6, 0, None)
    assert np.array_equal(result.outputs[0], EXPECTED)
    assert result.instructions == Figure("counted", TICKS // 2)
    assert result.cycles == Figure("modelled", TICKS, 5.0, at_zero_wait_states=True)
    assert result.instructions_spread == (TICKS // 2, TICKS // 2)
    assert result.latency_us is None  # nobody knows what memory adds
    assert [(layer.index, layer.operator, layer.macs) for layer in result.layers] == [
        (0, "add", 0),
        (1, "relu", 12_000),
    ]
    assert [layer.cycles for layer in result.layers] == list(LAYER_TICKS)
    assert [layer.instructions for layer in result.layers] == [ticks // 2 for ticks in LAYER_TICKS]
    assert {layer.kernel for layer in result.layers} == {"portable/plain"}
    assert result.stack_peak_bytes == 612
    assert result.emulator == "fake 1.0"
    assert result.notes == ()
    assert steps == [(i, 6) for i in range(1, 7)]


def test_the_median_and_the_spread_are_of_single_inferences() -> None:
    ticks = iter([100, 500, 300, 200, 400, 600, *LAYER_TICKS])
    firmware = FakeFirmware()
    infer = firmware._infer
    firmware._infer = lambda parts: infer([(i, next(ticks)) for i, _ in parts])  # type: ignore[method-assign]
    result = run(firmware)
    assert result.cycles is not None
    assert result.cycles.value == 300
    assert result.cycles_spread == (100, 600)


def test_two_inputs() -> None:
    samples = [np.random.default_rng(i).integers(-128, 128, (3, 1, 97)).astype(np.int8) for i in (1, 2)]
    rows = [fake_layers([samples[0][i].tobytes(), samples[1][i].tobytes()])[1] for i in range(3)]
    expected = np.stack([np.frombuffer(row, np.int8).reshape(1, 97) for row in rows])
    result = run(
        FakeFirmware(sizes=(97, 97)), plan=plan_of_fake((97, 97)), samples=Samples(samples), expected=[expected]
    )
    assert (result.samples, result.mismatches) == (3, 0)


def test_a_mismatch_names_sample_byte_and_layer() -> None:
    asked: list[int] = []

    def crcs(i: int) -> list[int]:
        asked.append(i)
        return reference_crcs(i)

    result = run(FakeFirmware(output_filter=broken_at(3, 77)), layer_crcs=crcs)
    assert result.mismatches == 1
    assert result.first_mismatch == Mismatch(3, 1, "relu", 77)
    assert result.samples == 6
    assert len(result.layers) == 2
    assert asked == [3]
    assert result.outputs[0][3].tobytes() != EXPECTED[3].tobytes()


def test_every_mismatch_counts_and_only_the_first_is_looked_into() -> None:
    firmware = FakeFirmware(output_filter=lambda output: bytes(len(output)))
    result = run(firmware)
    assert result.mismatches == 6
    assert result.first_mismatch is not None
    assert (result.first_mismatch.sample, result.first_mismatch.layer) == (0, 1)
    assert firmware.runs == 7


def test_a_mismatch_without_layer_checksums_says_so() -> None:
    result = run(FakeFirmware(output_filter=broken_at(2, 0), has_crcs=False))
    assert result.first_mismatch == Mismatch(2, None, "", 0)
    assert result.notes == ("the runtime cannot tell the outputs of single layers",)


def test_a_mismatch_that_does_not_come_back_says_so() -> None:
    once = iter((True,))

    def fail_once(output: bytes) -> bytes:
        return bytes(len(output)) if next(once, False) else output

    result = run(FakeFirmware(output_filter=fail_once))
    assert result.first_mismatch is not None
    assert result.first_mismatch.layer is None
    assert "no layer differs" in result.notes[0]


def test_a_board_measures_cycles_and_knows_no_instructions() -> None:
    result = run(FakeFirmware(), readings=list, counting=Counting("cycles", cycles="measured"))
    assert result.instructions is None
    assert result.cycles == Figure("measured", TICKS)
    assert result.latency_us == Figure("measured", TICKS / 64)
    assert [(layer.instructions, layer.cycles) for layer in result.layers] == [(None, t) for t in LAYER_TICKS]


def test_an_emulator_that_counts_instructions_knows_no_time() -> None:
    result = run(FakeFirmware(), readings=list, counting=Counting("instructions"))
    assert result.instructions == Figure("counted", TICKS)
    assert result.cycles is None
    assert result.latency_us is None
    assert [layer.instructions for layer in result.layers] == list(LAYER_TICKS)


def test_ticks_become_instructions_by_their_ratio() -> None:
    ratio = Fraction(16, 5)
    instructions = Counting("instructions", ticks_per_instruction=ratio)
    result = run(FakeFirmware(), readings=list, counting=instructions)
    assert result.instructions == Figure("counted", round(TICKS / ratio))
    assert [layer.instructions for layer in result.layers] == [round(ticks / ratio) for ticks in LAYER_TICKS]
    assert result.ticks == (TICKS,) * result.samples
    cycles = run(FakeFirmware(), readings=list, counting=replace(instructions, ticks="cycles")).cycles
    assert cycles is not None
    assert cycles.value == TICKS, "cycles are what the ticks are"


def test_a_clock_of_this_computer_gives_a_latency_and_nothing_else() -> None:
    result = run(FakeFirmware(), readings=list, counting=Counting("time"), clock_hz=100_000_000)
    assert (result.instructions, result.cycles) == (None, None)
    assert result.latency_us == Figure("measured", TICKS / 100)


def test_ticks_that_disagree_with_the_emulator_are_noted() -> None:
    firmware = FakeFirmware()
    firmware._count = lambda ticks: firmware.readings.append(CounterReading(0, len(firmware.readings)))  # type: ignore[method-assign]
    result = run(firmware)
    assert any("not what the emulator counted" in note for note in result.notes)


@pytest.mark.parametrize("fault_at", [1, 4, 7])
def test_a_device_that_fails_in_the_middle_leaves_a_partial_result(fault_at: int) -> None:
    done = fault_at - 1
    with pytest.raises(RunFailedError, match=f"after {done} of 6 samples") as caught:
        run(FakeFirmware(fault_at=fault_at))
    assert caught.value.exit_code == 4
    assert "fault: pc=000004d2" in caught.value.what
    partial = caught.value.partial
    assert partial.samples == done
    assert np.array_equal(partial.outputs[0], EXPECTED[:done])
    assert partial.notes == (f"partial: the device failed after {done} of 6 samples",)
    assert (partial.cycles is None) == (done == 0)


def test_a_fault_while_a_mismatch_is_looked_into_keeps_the_mismatch() -> None:
    with pytest.raises(RunFailedError) as caught:
        run(FakeFirmware(output_filter=broken_at(2, 5), fault_at=4))
    assert caught.value.partial.first_mismatch == Mismatch(2, None, "", 5)
    assert caught.value.partial.mismatches == 1


def test_a_pulled_cable_leaves_a_partial_result() -> None:
    firmware = FakeFirmware()
    console = FakeConsole(firmware)

    def pull(done: int, total: int) -> None:
        if done == 2:
            console.unplug()

    with pytest.raises(RunFailedError, match="lost the connection") as caught:
        run(firmware, console=console, progress=pull)
    assert caught.value.partial.samples == 2
    assert caught.value.hint == "plug it in"


def test_a_restart_harms_nothing_unless_inferences_depend_on_one_another() -> None:
    def restarting() -> tuple[FakeFirmware, FakeConsole, Callable[[int, int], None]]:
        firmware = FakeFirmware()
        console = FakeConsole(firmware)

        def restart(done: int, total: int) -> None:
            if done == 3:
                console._sent += firmware.reset()

        return firmware, console, restart

    firmware, console, restart = restarting()
    assert run(firmware, console=console, progress=restart).mismatches == 0

    firmware, console, restart = restarting()
    with pytest.raises(RunFailedError, match="restarted"):
        run(firmware, console=console, progress=restart, plan=stateful_plan())


def stateful_plan() -> Plan:
    plan = plan_of_fake()
    tensors = {key: replace(t, is_variable=t.name == "sum") for key, t in plan.graph.tensors.items()}
    return replace(plan, graph=plan.graph.evolve(tensors=tensors))


def test_a_mismatch_of_a_model_with_state_does_not_disturb_the_samples_after_it() -> None:
    firmware = FakeFirmware(output_filter=broken_at(2, 5))
    result = run(firmware, plan=stateful_plan())
    assert result.mismatches == 1
    assert result.first_mismatch == Mismatch(2, None, "", 5)
    assert "keeps state" in result.notes[0]
    assert firmware.runs == 7
    assert len(result.layers) == 2


@pytest.mark.parametrize(
    ("firmware", "words"),
    [
        (FakeFirmware(sizes=(150, 150)), "2 inputs, the plan has 1"),
        (FakeFirmware(sizes=(151,)), "151 bytes in `input0`, the plan has 150"),
    ],
)
def test_a_firmware_of_another_plan_is_refused(firmware: FakeFirmware, words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        run(firmware)


def test_another_arena_is_refused() -> None:
    with pytest.raises(DeviceError, match="2,048 bytes of arena, the plan has 4,096"):
        run(FakeFirmware(), plan=replace(plan_of_fake(), arena_bytes=4096))


def test_a_failed_self_test_is_noted() -> None:
    firmware = FakeFirmware()
    about = firmware._about().replace("selftest=ok", "selftest=fail")
    firmware._about = lambda: about  # type: ignore[method-assign]
    assert run(firmware).notes == ("the firmware's self-test gave `fail`",)


def test_accuracy_on_the_device() -> None:
    labels = EXPECTED.reshape(6, -1).argmax(axis=1)
    labels[0] += 1
    assert run(FakeFirmware(), samples=Samples([SAMPLES], labels)).device_accuracy == pytest.approx(5 / 6)


def test_accuracy_of_the_outputs_behind_the_first() -> None:
    """Where they have classes; `run` gives none for values, nor for an output without a name there."""
    labels = EXPECTED.reshape(6, -1).argmax(axis=1)
    further = (Labelled(0, "kind", labels), Labelled(0, "level", labels + 0.5))
    samples = Samples([SAMPLES], further_labels=further)
    assert run(FakeFirmware(), samples=samples).further_accuracies == {"kind": 1.0}


def test_accuracy_is_of_classes_only() -> None:
    assert accuracy(np.zeros((2, 3), np.int8), np.zeros((2, 2), int)) is None
    assert accuracy(np.zeros((0, 3), np.int8), np.zeros(0, int)) is None
    assert accuracy(np.zeros((2, 3), np.int8), np.array([0.5, 1.5])) is None


def test_accuracy_of_a_sigmoid_is_at_its_half() -> None:
    outputs = np.array([[-1], [0], [1]], np.int8)
    assert accuracy(outputs, np.array([0, 0, 1]), half=0.0) == 1.0
    assert accuracy(outputs, np.array([0, 0, 1]), half=-0.5) == pytest.approx(2 / 3)


def test_accuracy_of_places_is_over_all_of_them() -> None:
    outputs = np.zeros((2, 1, 2, 2, 3), np.int8)
    outputs[..., 1] = 5
    labels = np.array([[[1, 1], [1, 0]], [[1, 1], [2, 1]]])
    assert accuracy(outputs, labels) == 0.75


def test_random_outputs_never_pass_as_right() -> None:
    noise = random.Random(3)
    result = run(FakeFirmware(output_filter=lambda output: noise.randbytes(len(output))))
    assert result.mismatches == 6
