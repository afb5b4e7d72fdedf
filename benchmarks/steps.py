"""The worker's task for `python -m benchmarks`: blocks of training steps, or of forward passes, of one workload."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import Library
from benchmarks.variants import Run, fastest
from benchmarks.workloads import Array, find

BATCHES = 4  # resident batches, taken in turn
CHECKED_STEPS = 4  # after these, every library must have the same loss


class Training:
    """Training steps of one workload. What libraries must agree on: the loss after CHECKED_STEPS steps."""

    def __init__(self, library: Library, workload: str, data: str | None, quick: bool) -> None:
        self.library = library
        self.workload = find(workload)
        self.variants = library.variants(self.workload, quick)
        self.x, self.y, self.source = self.workload.data(BATCHES, Path(data) if data else None)

    def start(self, variant: str) -> Run:
        """Builds the model; returns what runs and times steps of it."""
        self.model = model = self.library.model(
            self.workload, self.workload.weights(), self.workload.learning_rate, 0.0, variant
        )
        self.batches = batches = [model.put(x, y) for x, y in zip(self.x, self.y, strict=True)]

        def run(steps: int) -> float:
            started = time.perf_counter()
            for step in range(steps):
                model.train(batches[step % BATCHES])
            model.wait()
            return time.perf_counter() - started

        return run

    def check(self) -> list[float]:
        """The loss; one step is done already."""
        for step in range(1, CHECKED_STEPS):
            self.model.train(self.batches[step % BATCHES])
        return [self.model.loss(self.batches[0], self.workload.batch)]

    def finish(self) -> bool:
        """Whether the loss is still a number."""
        return bool(np.isfinite(self.model.loss(self.batches[0], self.workload.batch)))


class Inference:
    """Forward passes of one sample each, from NumPy array to NumPy array. To agree on: some of the outputs."""

    def __init__(self, library: Library, workload: str, data: str | None, quick: bool) -> None:
        self.library = library
        self.workload = replace(find(workload), batch=1)
        self.variants = library.predictor_variants(self.workload, quick)
        self.x, _, self.source = self.workload.data(BATCHES, Path(data) if data else None)

    def start(self, variant: str) -> Run:
        """Builds the predictor; returns what runs and times passes of it."""
        forward = self.library.predictor(self.workload, self.workload.weights(), variant)
        self.forward: Callable[[Array], Array] = forward

        def run(passes: int) -> float:
            started = time.perf_counter()
            for one in range(passes):
                forward(self.x[one % BATCHES])
            return time.perf_counter() - started

        return run

    def check(self) -> list[float]:
        """The last outputs for the first sample."""
        outputs = np.asarray(self.forward(self.x[0])).ravel()[-16:]
        return [float(value) for value in outputs]

    def finish(self) -> bool:
        """Whether outputs are numbers."""
        return bool(np.isfinite(self.forward(self.x[0])).all())


KINDS: dict[str, type[Training] | type[Inference]] = {"steps": Training, "inference": Inference}


class Task:
    """What the driver asks for, of one of the KINDS."""

    def __init__(self, library: Library, kind: str, **options: Any) -> None:
        self.task = KINDS[kind](library, **options)

    def scout(self, seconds: float) -> dict[str, dict[str, float]]:
        """Every variant of this library, the fastest first; {} if it cannot run this workload."""
        return fastest(self.task.variants, self.task.start, seconds)

    def setup(self, variant: str) -> dict[str, Any]:
        """Starts one variant. first_seconds: building it and its first step; agreed: see check()."""
        started = time.perf_counter()
        self.run = self.task.start(variant)
        self.run(1)
        first_seconds = time.perf_counter() - started
        agreed = self.task.check()
        self.run(2)
        return {
            "first_seconds": first_seconds,
            "agreed": agreed,
            "data": self.task.source,
            "step_seconds": self.run(3) / 3,
        }

    def block(self, steps: int) -> float:
        """Seconds for so many steps, after one that is not counted."""
        self.run(1)
        return self.run(steps)

    def finish(self) -> bool:
        """Whether results are still numbers."""
        return self.task.finish()
