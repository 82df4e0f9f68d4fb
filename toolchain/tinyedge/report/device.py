"""What was done to a board, as text and as JSON documents."""

from __future__ import annotations

from typing import Any

from tinyedge.artifacts import Built, Flashed, FlashPlan
from tinyedge.report.table import format_bytes, format_pairs


def render_flash(flashed: Flashed) -> str:
    """What was written, whether it was compared, whether it runs."""
    built, hello = flashed.built, flashed.hello
    board = built.prepared.board
    verified = f"every byte, by {flashed.tool}" if flashed.verified else f"not: {flashed.tool} cannot"
    running = (
        f"not proved: {flashed.why_unproved}"
        if hello is None
        else f"this very image, self-test {hello.selftest}: banner at {flashed.port}"
    )
    pairs = [
        ("image", f"{built.image_id}, {format_bytes(built.image.size.flash_bytes)} at {board.flash_start:#010x}"),
        ("verified", verified),
        ("running", running),
        ("touched", f"the flash of board `{board.name}`, by {flashed.tool} {flashed.version}"),
    ]
    return f"{built.prepared.model.name} on {board.name}: flashed\n\n{format_pairs(pairs)}\n"


def flash_document(flashed: Flashed) -> dict[str, Any]:
    """`tinyedge.flash/1` of an image that was written."""
    hello = flashed.hello
    return _head(flashed.built, flashed.tool) | {
        "tool_version": flashed.version,
        "dry_run": False,
        "touched": True,
        "verified": flashed.verified,
        "port": flashed.port,
        "banner": None if hello is None else {"image": hello.image, "selftest": hello.selftest},
        "notes": [flashed.why_unproved] if flashed.why_unproved else [],
    }


def render_flash_plan(plan: FlashPlan) -> str:
    """What would be done, one step a line."""
    return "".join(f"{step}\n" for step in plan.steps)


def flash_plan_document(plan: FlashPlan) -> dict[str, Any]:
    """`tinyedge.flash/1` of a dry run."""
    return _head(plan.built, plan.tool) | {"dry_run": True, "touched": False, "steps": list(plan.steps)}


def _head(built: Built, tool: str) -> dict[str, Any]:
    return {
        "schema": "tinyedge.flash/1",
        "model": built.prepared.model.name,
        "board": built.prepared.board.name,
        "image": built.image_id,
        "tool": tool,
    }
