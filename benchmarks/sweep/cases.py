"""The worker's task: training steps of one cell and hidden size after the other, and the peak in between."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable

from benchmarks.rivals import Library
from benchmarks.sweep.grid import Case

LEARNING_RATE = 0.01
BLOCK_SECONDS = 0.002  # short: the fastest block is to be one that nothing disturbed
LEAST_BLOCKS = 3


def probe(library: str, threads: int) -> Callable[[], float]:
    """GFLOP/s of multiply-adds in registers on all threads: the C++ benchmarks' probe (csrc/bench/probe.cpp).

    It runs in this process, on the pool of threads that Tauten's steps use, so neither waits for the other's threads.
    """
    call = ctypes.CDLL(library).tauten_probe_peak
    call.argtypes, call.restype = [ctypes.c_int], ctypes.c_double
    # the first after something else finds cold caches
    return lambda: max(call(threads) for _ in range(3)) / 1e9


class Task:
    """Cases that differ in batch and steps; their weights are the same."""

    def __init__(self, library: Library, cell: str, units: int, team: int, peak: str) -> None:
        """team: threads of the probe; peak: path of the library that has it, "" for none."""
        self.library = library
        self.cell, self.units = cell, units
        self.weights = Case(cell, units, 1, 1).workload.weights()
        self.peak = probe(peak, team) if peak else lambda: 0.0

    def measure(self, steps: int, batch: int, seconds: float) -> dict[str, list[float]]:
        """Blocks of about BLOCK_SECONDS, a probe before each, for as many seconds; at least LEAST_BLOCKS."""
        workload = Case(self.cell, self.units, steps, batch).workload
        (variant,) = self.library.variants(workload, True)
        model = self.library.model(workload, self.weights, LEARNING_RATE, 0.0, variant)
        (x,), (y,), _ = workload.data(1, None)
        data = model.put(x, y)

        def run(count: int) -> float:
            started = time.perf_counter()
            for _ in range(count):
                model.train(data)
            model.wait()
            return time.perf_counter() - started

        run(1)  # lays out memory
        count = max(1, math.ceil(BLOCK_SECONDS / min(run(1) for _ in range(3))))
        blocks: list[float] = []
        peaks: list[float] = []
        started = time.perf_counter()
        while len(blocks) < LEAST_BLOCKS or time.perf_counter() - started < seconds:
            peaks.append(self.peak())
            blocks.append(1e3 * run(count) / count)
        return {"blocks_ms": blocks, "peak_gflops": peaks}
