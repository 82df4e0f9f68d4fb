"""What a network is pruned to: a share of its multiplications, or what it may take on a board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tinyedge.train.board_costs import BoardCosts, board_costs
from tinyedge.train.channels import Channels


@dataclass(frozen=True)
class Targets:
    """Of those that are set (not 0) all have to be met.

    macs, instructions    shares of what the whole network takes
    max_flash, max_ram    bytes of the image
    """

    macs: float = 0.0
    board: str = ""
    instructions: float = 0.0
    max_flash: int = 0
    max_ram: int = 0

    def __post_init__(self) -> None:
        on_board = bool(self.instructions or self.max_flash or self.max_ram)
        if not on_board and not self.macs:
            raise ValueError("nothing says how far to prune: give `macs`, or `board` with what it may take there")
        if on_board != bool(self.board):
            raise ValueError("`board` goes with `instructions`, `max_flash` or `max_ram`: give both, or neither")


@dataclass(frozen=True, eq=False)
class Whole:
    """The network before it is pruned, and what it is to become."""

    targets: Targets
    macs: int
    costs: BoardCosts | None
    """None where no board is named"""

    @classmethod
    def of(cls, channels: Channels, targets: Targets) -> Whole:
        costs = board_costs(channels.model, targets.board) if targets.board else None
        return cls(targets, channels.macs(set()), costs)

    def is_met(self, channels: Channels, gone: set[int], part: float = 1.0) -> bool:
        """Whether the network without the channels `gone` has come this part of the way to all targets."""
        return not any(value > limit for _, value, limit in self.compared(channels, gone, part))

    def compared(self, channels: Channels, gone: set[int], part: float = 1.0) -> Iterator[tuple[str, float, float]]:
        """(what, what is left, the limit) of each target."""
        wanted = self.targets
        if wanted.macs:
            yield "multiplications", channels.macs(gone), self.macs * wanted.macs**part
        if self.costs is None:
            return
        left = board_costs(channels.without(gone) if gone else channels.model, wanted.board)
        if wanted.instructions:
            yield "instructions (predicted)", left.instructions, self.costs.instructions * wanted.instructions**part
        for what, value, whole, limit in (
            ("bytes of flash (predicted)", left.flash_bytes, self.costs.flash_bytes, wanted.max_flash),
            ("bytes of RAM (predicted)", left.ram_bytes, self.costs.ram_bytes, wanted.max_ram),
        ):
            if limit:
                yield what, value, whole + (limit - whole) * part if whole > limit else limit

    def told(self, model: Any) -> str:
        """What is left of a pruned model, in words."""
        from tinyedge.train.channels import find_channels

        channels = find_channels(model)
        left = channels.macs(set())
        text = f"{left:,} of {self.macs:,} multiplications, {left / self.macs:.3f}"
        if self.costs is None:
            return text
        now, before = board_costs(channels.model, self.targets.board), self.costs
        pairs = (
            ("instructions", now.instructions, before.instructions),
            ("B of flash", now.flash_bytes, before.flash_bytes),
            ("B of RAM", now.ram_bytes, before.ram_bytes),
        )
        costs = ", ".join(f"{value:,} of {whole:,} {what}" for what, value, whole in pairs)
        share = now.instructions / before.instructions
        return f"{text}; on {self.targets.board} {costs} (predicted), {share:.3f} of the instructions"
