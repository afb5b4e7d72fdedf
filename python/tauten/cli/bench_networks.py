"""Four of the public workloads, for Tauten and for PyTorch: a training step, and a forward pass of one sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CLASSES = 10
RATE = 0.01
Call = Callable[[], Any]


@dataclass(frozen=True)
class Workload:
    """Sizes of one; `kind` says what is built."""

    text: str
    kind: str  # "mlp", "lenet", "lstm" or "gru"
    batch: int
    shape: tuple[int, ...]
    units: int

    def data(self) -> tuple[Any, Any]:
        """Random x in float32 and y, labels of samples or, of recurrent networks, of steps."""
        random = np.random.default_rng(0)
        steps = self.shape[:1] if self.kind in ("lstm", "gru") else ()
        x = random.standard_normal((self.batch, *self.shape), dtype=np.float32)
        return x, random.integers(0, CLASSES, (self.batch, *steps))


WORKLOADS = {
    "mlp_b128": Workload("784-512-512-10, batch 128", "mlp", 128, (784,), 512),
    "lenet_b8": Workload("28x28x1, conv5 32 and 64, pools, dense 128, batch 8", "lenet", 8, (28, 28, 1), 128),
    "lstm_b16_h32": Workload("64 steps of 8, LSTM 32, batch 16", "lstm", 16, (64, 8), 32),
    "gru_b64_h128": Workload("128 steps of 32, GRU 128, batch 64", "gru", 64, (128, 32), 128),
}


def tauten_calls(workload: Workload, threads: int) -> tuple[Call, Call]:
    """A training step, and a forward pass of one sample."""
    import tauten
    from tauten import layers

    tauten.config.set_num_threads(threads)
    units = workload.units
    inner: dict[str, list[layers.Layer]] = {
        "mlp": [layers.Dense(units, activation="relu"), layers.Dense(units, activation="relu")],
        "lenet": [
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(units, activation="relu"),
        ],
        "lstm": [layers.LSTM(units, return_sequences=True)],
        "gru": [layers.GRU(units, return_sequences=True)],
    }
    last = layers.Dense(CLASSES, activation="softmax")
    model = tauten.Sequential([tauten.Input(workload.shape), *inner[workload.kind], last])
    model.compile(tauten.optimizers.SGD(RATE), "sparse_categorical_crossentropy")
    x, y = workload.data()
    return lambda: model.train_on_batch(x, y), lambda: model(x[:1])


def torch_calls(workload: Workload, threads: int) -> tuple[Call, Call]:
    """The same in PyTorch, eager, as its tutorials have it."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    units, features = workload.units, workload.shape[-1]

    class States(nn.Module):  # type: ignore[misc]
        """A recurrent layer without its last states."""

        def __init__(self, layer: Any) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Any) -> Any:
            return self.layer(x)[0]

    inner: dict[str, Callable[[], list[Any]]] = {
        "mlp": lambda: [nn.Linear(features, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU()],
        "lenet": lambda: [
            *(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(64 * 7 * 7, units), nn.ReLU()),
        ],
        "lstm": lambda: [States(nn.LSTM(features, units, batch_first=True))],
        "gru": lambda: [States(nn.GRU(features, units, batch_first=True))],
    }
    torch.manual_seed(0)
    model = nn.Sequential(*inner[workload.kind](), nn.Linear(units, CLASSES))
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    loss = nn.CrossEntropyLoss()
    array, y = workload.data()
    if workload.kind == "lenet":
        array = np.ascontiguousarray(array.transpose(0, 3, 1, 2))
    x, labels = torch.from_numpy(array), torch.from_numpy(y).flatten()

    def train() -> float:
        optimizer.zero_grad()
        error = loss(model(x).flatten(0, -2), labels)
        error.backward()
        optimizer.step()
        return float(error.item())

    def forward() -> Any:
        with torch.inference_mode():
            return model(torch.from_numpy(array[:1])).numpy()

    return train, forward


CALLS: dict[str, Callable[[Workload, int], tuple[Call, Call]]] = {"Tauten": tauten_calls, "PyTorch": torch_calls}
