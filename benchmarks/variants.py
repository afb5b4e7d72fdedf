"""Finding the fastest of a library's documented ways to run a workload."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.rivals import Library, Model
from benchmarks.workloads import Array, Workload

Build = Callable[[str], Model]


def _block(model: Model, data: Any, steps: int) -> float:
    started = time.perf_counter()
    for _ in range(steps):
        model.train(data)
    return (time.perf_counter() - started) / steps


def fastest(
    library: Library, workload: Workload, build: Build, x: Array, y: Array, seconds: float = 0.5
) -> tuple[str, dict[str, float]]:
    """The best variant, and milliseconds a step of each; every one is timed for about `seconds`, by turns."""
    variants = list(library.variants(workload))
    if len(variants) == 1:
        return variants[0], {}
    models, blocks = {}, {}
    for variant in variants:
        model = build(variant)
        models[variant] = model, model.put(x, y)
        _block(*models[variant], 2)
        blocks[variant] = max(2, math.ceil(seconds / 3 / _block(*models[variant], 2)))
    times: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(3):
        for variant in variants:
            times[variant].append(_block(*models[variant], blocks[variant]))
    tried = {variant: 1e3 * median(values) for variant, values in times.items()}
    return min(tried, key=lambda variant: tried[variant]), tried
