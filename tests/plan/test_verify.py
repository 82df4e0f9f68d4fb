"""The check finds every kind of wrong plan, and names what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from kits.fake_kernels import CORE, FakeKernel
from kits.net import Net, weights
from tinyedge.artifacts import Buffer, Plan
from tinyedge.errors import InternalError
from tinyedge.kernels.contract import ExactOffset
from tinyedge.plan import make_plan, verify_plan


def make_good(in_place: int | None = 8) -> Plan:
    """input t0 (32 B) -> conv -> relu, with scratch; outputs under their inputs by 8 bytes."""
    net = Net()
    x = net.conv(net.input((1, 4, 4, 2)), weights(1, 2, 3, 3, 2))
    kernel = FakeKernel(scratch=lambda layer: 12, in_place=lambda layer: in_place)
    return make_plan(net.graph(net.relu(x)), CORE, "balanced", kernels=[kernel])


def change(plan: Plan, at: int, **changes: int) -> Plan:
    """The plan with one buffer changed, in the layer that has it as scratch as well."""
    old = plan.buffers[at]
    new = replace(old, **changes)

    def exchange(buffer: Buffer | None) -> Buffer | None:
        return new if buffer is old else buffer

    buffers = tuple(new if buffer is old else buffer for buffer in plan.buffers)
    layers = tuple(replace(layer, scratch=exchange(layer.scratch)) for layer in plan.layers)
    return replace(plan, buffers=buffers, layers=layers)


def buffer_at(plan: Plan, name: str) -> int:
    return next(at for at, buffer in enumerate(plan.buffers) if buffer.name == name)


def test_good_plans_pass() -> None:
    verify_plan(make_good())
    verify_plan(make_good(None))


def test_an_overlap_names_both_tensors_with_their_offsets() -> None:
    plan = make_good(None)
    image, middle = plan.buffer_of(plan.graph.inputs[0]), plan.buffer_of(plan.layers[0].layer.outputs[0].index)
    bad = change(plan, buffer_at(plan, middle.name), offset=image.offset)
    with pytest.raises(InternalError) as caught:
        verify_plan(bad)
    place = f"[{image.offset}, {image.offset + 32})"
    assert f"`{image.name}` at {place} alive at steps 0-0" in caught.value.what
    assert f"`{middle.name}` at {place} alive at steps 0-1 overlap at step 0" in caught.value.what


def test_an_in_place_offset_is_the_outputs_alone() -> None:
    """Scratch that begins where the output may lie runs into the input all the same."""
    plan = make_good(8)
    image, scratch = plan.buffer_of(plan.graph.inputs[0]), plan.layers[0].scratch
    assert scratch is not None
    bad = change(plan, buffer_at(plan, scratch.name), offset=image.offset - 8)
    with pytest.raises(InternalError) as caught:
        verify_plan(bad)
    assert any(
        f"`{image.name}`" in line and f"`{scratch.name}`" in line and "overlap" in line
        for line in caught.value.what.splitlines()
    )


def test_an_in_place_offset_of_eight_is_eight() -> None:
    plan = make_good(8)
    source, middle = plan.graph.inputs[0], plan.layers[0].layer.outputs[0]
    place = plan.buffer_of(source).offset
    assert plan.buffer_of(middle.index).offset == place - 8
    too_near = change(plan, buffer_at(plan, middle.name), offset=place - 4)
    with pytest.raises(InternalError, match="overlap at step 0"):
        verify_plan(too_near)


def test_an_exact_offset_is_neither_more_nor_less() -> None:
    plan = make_good(ExactOffset(8))
    source, middle = plan.graph.inputs[0], plan.layers[0].layer.outputs[0]
    place = plan.buffer_of(source).offset
    assert plan.buffer_of(middle.index).offset == place - 8
    for wrong in (-4, -12):
        with pytest.raises(InternalError, match="overlap at step 0"):
            verify_plan(change(plan, buffer_at(plan, middle.name), offset=place + wrong))


BREAKS: list[tuple[str, Callable[[Plan], Plan]]] = [
    ("has no buffer", lambda p: replace(p, buffers=p.buffers[1:])),
    ("outside the arena", lambda p: replace(p, arena_bytes=p.arena_bytes - 4)),
    ("not aligned", lambda p: change(p, 0, offset=p.buffers[0].offset + 2)),
    ("smaller than its tensor", lambda p: change(p, 0, bytes=31)),
    ("should be alive", lambda p: change(p, buffer_at(p, p.graph.output_tensors()[0].name), first=0, last=0)),
    ("never runs", lambda p: replace(p, layers=p.layers[:1], buffers=p.buffers[:2])),
    ("before it is written", lambda p: replace(p, layers=p.layers[::-1])),
    ("is scratch of step", lambda p: change(p, buffer_at(p, "scratch of operator 1"), first=0, last=0)),
    (
        "is read up to",
        lambda p: replace(p, layers=(replace(p.layers[0], reads_behind=4_000), *p.layers[1:])),
    ),
    ("is not among the buffers", lambda p: replace(p, buffers=p.buffers[:-1])),
    ("overlap at step", lambda p: change(p, buffer_at(p, "scratch of operator 0"), offset=p.buffers[0].offset)),
]


@pytest.mark.parametrize(("message", "breaking"), BREAKS, ids=[message for message, _ in BREAKS])
def test_wrong_plans_are_found(message: str, breaking: Callable[[Plan], Plan]) -> None:
    from tinyedge.plan.verify import _problems

    bad = breaking(make_good())
    with pytest.raises(InternalError, match="the memory plan of model `test` is wrong"):
        verify_plan(bad)
    assert any(message in problem for problem in _problems(bad))


def test_an_overlap_of_what_outlives_the_step_is_wrong() -> None:
    """The input is read again later, so no in-place offset lets the first output touch it."""
    net = Net()
    image = net.input((1, 32))
    x = net.relu(image)
    plan = make_plan(net.graph(net.add(x, image)), CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    bad = change(plan, buffer_at(plan, plan.graph.tensors[x.key].name), offset=plan.buffer_of(image.key).offset)
    with pytest.raises(InternalError, match="overlap at step 0"):
        verify_plan(bad)


def test_an_output_of_the_model_that_the_last_layer_overwrites_is_wrong() -> None:
    net = Net()
    x = net.relu(net.input((1, 40)))
    y = net.relu(x)
    plan = make_plan(net.graph(x), CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    bad = change(plan, buffer_at(plan, plan.graph.tensors[y.key].name), offset=plan.buffer_of(x.key).offset)
    with pytest.raises(InternalError, match="overlap at step 1"):
        verify_plan(bad)
