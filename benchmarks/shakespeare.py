"""Tiny Shakespeare, character by character: Embedding 64, LSTM 256, Dense; 64-character windows, SGD with momentum.

The first 90 % of the text is trained on, the rest validates.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.endtoend import Experiment, Measure, Trained, main
from benchmarks.rivals import Library
from benchmarks.workloads import Dense, Embedding, Recurrent, Workload

WINDOW = 64
BATCH = 64
STEPS = 200  # a turn

EXPERIMENT = Experiment(
    "shakespeare",
    "Tiny Shakespeare, LSTM 256, 64 windows of 64",
    ("tinyshakespeare.txt",),
    12,
    f"{STEPS} steps",
    (1.0,),
    {"loss": Measure("validation loss, nats", ".4f", 1.6, higher=False)},
)


class Task(Trained):
    """Runs in the worker."""

    def __init__(self, library: Library, data: str, learning_rate: float, variant: str | None, seed: int) -> None:
        text = np.frombuffer((Path(data) / "tinyshakespeare.txt").read_bytes(), np.uint8)
        characters, tokens = np.unique(text, return_inverse=True)
        train, held = np.split(tokens.astype(np.int32), [len(tokens) * 9 // 10])
        held = held[: (len(held) - 1) // WINDOW * WINDOW + 1]
        layers = (Embedding(len(characters), 64), Recurrent("lstm", 256), Dense(len(characters)))
        workload = Workload("shakespeare", "", BATCH, (WINDOW,), layers)
        starts = np.random.default_rng(seed).integers(0, len(train) - WINDOW, EXPERIMENT.turns * STEPS * BATCH)
        windows = np.lib.stride_tricks.sliding_window_view(train, WINDOW + 1)[starts]
        x, y = np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:])
        super().__init__(library, workload, learning_rate, variant, seed, x, y)
        self.held = self.model.put(held[:-1].reshape(-1, WINDOW), held[1:].reshape(-1, WINDOW))

    def turn(self, number: int) -> dict[str, Any]:
        """Trains some steps, on windows of its own for as many turns as there are by default, then measures."""
        first = number % EXPERIMENT.turns * STEPS * BATCH
        seconds = self.train(np.arange(first, first + STEPS * BATCH))
        return {"seconds": seconds, "loss": self.model.loss(self.held, 256)}


if __name__ == "__main__":
    sys.exit(main(EXPERIMENT))
