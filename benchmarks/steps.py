"""The worker's task for the step benchmark: build a workload, find the best variant, time blocks of steps."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import Library, Model
from benchmarks.variants import fastest
from benchmarks.workloads import WORKLOADS

BATCHES = 4  # resident batches, taken in turn
CHECKED_STEPS = 4  # after these, every library must have the same loss
LEARNING_RATE = 0.01


class Task:
    """Training steps of one workload."""

    def __init__(self, library: Library, workload: str, data: str | None) -> None:
        self.library = library
        self.workload = WORKLOADS[workload]
        folder = Path(data) if data else None
        self.x, self.y, self.source = self.workload.data(BATCHES, folder)

    def _model(self, variant: str) -> Model:
        return self.library.model(self.workload, self.workload.weights(), LEARNING_RATE, 0.0, variant)

    def _build(self, variant: str) -> None:
        self.model = self._model(variant)
        self.batches = [self.model.put(x, y) for x, y in zip(self.x, self.y, strict=True)]

    def _block(self, steps: int) -> float:
        started = time.perf_counter()
        for step in range(steps):
            self.model.train(self.batches[step % BATCHES])
        return time.perf_counter() - started

    def setup(self, seconds: float) -> dict[str, Any]:
        """Tries every variant for about `seconds` each, keeps the fastest, and says how it went.

        first_seconds: building the model and its first step. loss: on the first batch, after CHECKED_STEPS steps.
        """
        started = time.perf_counter()
        self._build(self.library.variants(self.workload)[0])
        self._block(1)
        first_seconds = time.perf_counter() - started
        best, tried = fastest(self.library, self.workload, self._model, self.x[0], self.y[0], seconds)
        self._build(best)
        for step in range(CHECKED_STEPS):
            self.model.train(self.batches[step % BATCHES])
        loss = self.model.loss(self.batches[0], self.workload.batch)
        return {
            "variant": best,
            "variants_ms": tried,
            "first_seconds": first_seconds,
            "loss": loss,
            "data": self.source,
            "step_seconds": self._block(3) / 3,
        }

    def block(self, steps: int) -> float:
        """Seconds for so many steps, after one that is not counted."""
        self._block(1)
        return self._block(steps)

    def finish(self) -> bool:
        """Whether the loss is still a number."""
        return bool(np.isfinite(self.model.loss(self.batches[0], self.workload.batch)))
