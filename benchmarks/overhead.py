"""What a call costs beside its arithmetic: single batches and fit() of models so small that little else is left."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import numpy as np

import tauten
from tauten import layers

FIT_STEPS = 200
Call = Callable[[], object]


def model(features: int, units: list[int], classes: int) -> tauten.Sequential:
    """A compiled classifier."""
    hidden = [layers.Dense(count, activation="relu") for count in units]
    made = tauten.Sequential([tauten.Input((features,)), *hidden, layers.Dense(classes, activation="softmax")])
    made.compile(optimizer=tauten.optimizers.SGD(0.01), loss="sparse_categorical_crossentropy")
    return made


def calls() -> dict[str, tuple[Call, int]]:
    """What is timed, and how many steps a call of it makes."""
    generator = np.random.default_rng(0)
    tiny, digits = model(4, [], 4), model(64, [16], 10)
    x, y = generator.random((1, 4), dtype=np.float32), np.array([1])
    xs = generator.random((8 * FIT_STEPS, 64), dtype=np.float32)
    ys = generator.integers(0, 10, len(xs))
    return {
        "train_on_batch, 4-4, batch 1": (lambda: tiny.train_on_batch(x, y), 1),
        "test_on_batch, 4-4, batch 1": (lambda: tiny.test_on_batch(x, y), 1),
        "predict_on_batch, 4-4, batch 1": (lambda: tiny.predict_on_batch(x), 1),
        "train_on_batch, 64-16-10, batch 8": (lambda: digits.train_on_batch(xs[:8], ys[:8]), 1),
        "fit, a step, 64-16-10, batch 8": (lambda: digits.fit(xs, ys, batch_size=8, verbose=0), FIT_STEPS),
    }


def measure(repeats: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Microseconds a step, least and median over repeats that take turns."""
    timed = calls()
    found: dict[str, list[float]] = {name: [] for name in timed}
    for call, _ in timed.values():
        call()
    for _ in range(repeats):
        for name, (call, steps) in timed.items():
            made, started = 0, time.perf_counter()
            while made == 0 or time.perf_counter() - started < seconds:
                for _ in range(1 if steps > 1 else 100):
                    call()
                made += steps if steps > 1 else 100
            found[name].append(1e6 * (time.perf_counter() - started) / made)
    return {name: (min(times), median(times)) for name, times in found.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--repeats", type=int, default=30, help="of each call, in turn; default 30")
    parser.add_argument("--seconds", type=float, default=0.01, help="of a repeat; default 0.01")
    options = parser.parse_args()
    print("| µs a step | least | median |\n|---|---|---|")
    for name, (least, middle) in measure(options.repeats, options.seconds).items():
        print(f"| {name} | {least:.2f} | {middle:.2f} |")


if __name__ == "__main__":
    main()
