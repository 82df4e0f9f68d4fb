"""The same networks in PyTorch, trained and exported: `PYTHON source_torch.py DATA.npz FOLDER`, without tinyedge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

_EPOCHS = 12


def networks() -> dict[str, Any]:
    """Name -> a function that makes the untrained network."""
    import torch
    from torch import nn

    def conv(inputs: int, outputs: int, size: int = 3, *, stride: int = 1, groups: int = 1, relu: bool = True) -> Any:
        body = [
            nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        ]
        return nn.Sequential(*body, *([nn.ReLU()] if relu else []))

    class Mean(nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x.mean((2, 3)) if x.dim() == 4 else x.mean(2)

    class Sum(nn.Module):  # type: ignore[misc]
        def __init__(self, inner: Any, *, relu: bool) -> None:
            super().__init__()
            self.inner, self.relu = inner, relu

        def forward(self, x: Any) -> Any:
            y = x + self.inner(x)
            return torch.relu(y) if self.relu else y

    class Time(nn.Module):  # type: ignore[misc]
        """[N, time, features] to [N, features, time]."""

        def forward(self, x: Any) -> Any:
            return x.transpose(1, 2)

    class Last(nn.Module):  # type: ignore[misc]
        def __init__(self, cell: Any) -> None:
            super().__init__()
            self.cell = cell

        def forward(self, x: Any) -> Any:
            return self.cell(x)[0][:, -1]

    class Attend(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.inner, self.second = (
                nn.Linear(8, 16),
                nn.MultiheadAttention(16, 2, batch_first=True),
                nn.Linear(16, 16),
            )

        def forward(self, x: Any) -> Any:
            y = self.first(x)
            y = y + self.inner(y, y, y, need_weights=False)[0]
            return torch.flatten(torch.relu(self.second(y)), 1)

    def ended(features: int, *body: Any) -> Any:
        return nn.Sequential(*body, nn.Linear(features, 10), nn.Softmax(1))

    return {
        "dense": lambda: ended(32, nn.Flatten(), nn.Linear(64, 32), nn.ReLU()),
        "cnn": lambda: ended(
            64, nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        ),
        "ds_cnn": lambda: ended(
            16, conv(1, 16, stride=2), conv(16, 16, groups=16), conv(16, 16, 1),
            conv(16, 16, groups=16), conv(16, 16, 1), Mean(),
        ),
        "residual": lambda: ended(
            16, conv(1, 16, stride=2), Sum(nn.Sequential(conv(16, 16), conv(16, 16, relu=False)), relu=True), Mean()
        ),
        "inverted": lambda: ended(
            16, conv(1, 16, stride=2),
            Sum(nn.Sequential(conv(16, 32, 1), conv(32, 32, groups=32), conv(32, 16, 1, relu=False)), relu=False),
            Mean(),
        ),
        "conv1d": lambda: ended(
            24, Time(), nn.Conv1d(8, 16, 3, padding=1), nn.ReLU(), nn.Conv1d(16, 24, 3, padding=1), nn.ReLU(), Mean()
        ),
        "lstm": lambda: ended(16, Last(nn.LSTM(8, 16, batch_first=True))),
        "gru": lambda: ended(16, Last(nn.GRU(8, 16, batch_first=True))),
        "attention": lambda: ended(128, Attend()),
    }  # fmt: skip


def main(data: Path, folder: Path) -> None:
    import torch

    with np.load(data) as stored:
        images, labels = (torch.from_numpy(stored[name]) for name in ("x", "y"))
    for name, make in networks().items():
        torch.manual_seed(1)
        model = make()
        samples = images[..., 0] if name in ("conv1d", "lstm", "gru", "attention") else images.permute(0, 3, 1, 2)
        optimizer = torch.optim.Adam(model.parameters(), 4e-3)
        for _ in range(_EPOCHS):
            for chosen in torch.randperm(len(samples)).split(32):
                optimizer.zero_grad()
                loss = torch.nn.functional.nll_loss(torch.log(model(samples[chosen]) + 1e-7), labels[chosen].long())
                loss.backward()
                optimizer.step()
        torch.export.save(torch.export.export(model.eval(), (samples[:1],)), folder / f"{name}.pt2")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
