"""Finding the fastest of a library's documented ways to run a workload."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from statistics import median

Run = Callable[[int], float]  # takes a number of steps, returns their seconds


def fastest(variants: Sequence[str], start: Callable[[str], Run], seconds: float) -> dict[str, dict[str, float]]:
    """By variant: "ms" a step and "first_seconds" (building it and its first step); the fastest first.

    Each is timed for about `seconds`, by turns.
    """
    runs: dict[str, Run] = {}
    steps, first = {}, {}
    for variant in variants:
        started = time.perf_counter()
        runs[variant] = start(variant)
        runs[variant](1)
        first[variant] = time.perf_counter() - started
        runs[variant](1)
        steps[variant] = max(2, math.ceil(seconds / 3 / (runs[variant](2) / 2)))
    times: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(3):
        for variant in variants:
            times[variant].append(runs[variant](steps[variant]) / steps[variant])
    tried = {
        variant: {"ms": 1e3 * median(values), "first_seconds": first[variant]} for variant, values in times.items()
    }
    return dict(sorted(tried.items(), key=lambda item: item[1]["ms"]))
